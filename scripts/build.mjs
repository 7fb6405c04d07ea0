// Builds dist/ from src/, then lists the commands in oclif.manifest.json, so that `fs` starts without loading them all.
// Whoever runs `fs` or another build meanwhile sees the old files or the new ones. A build that fails leaves none.
import {spawnSync} from 'node:child_process'
import {chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Plugin, settings} from '@oclif/core'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const manifest = join(root, 'oclif.manifest.json')
// Beside dist/, not under node_modules, which may be another file system.
const stage = mkdtempSync(join(root, '.build-'))

try {
  compile()
  replaceDist()
  await writeManifest()
  chmodSync(join(root, 'bin/run.js'), 0o755)
} catch (error) {
  for (const stale of [dist, manifest]) rmSync(stale, {recursive: true, force: true})
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(stage, {recursive: true, force: true})
}

function compile() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['-p', 'tsconfig.json', '--noEmitOnError', '--outDir', join(stage, 'dist')]
  const {status} = spawnSync(process.execPath, [tsc, ...options], {cwd: root, stdio: 'inherit'})
  if (status !== 0) throw new Error('The build stops here.')
}

/** A folder can't be renamed onto one that holds files: the old one goes out of the way first. */
function replaceDist() {
  for (let attempt = 1; ; attempt += 1) {
    try {
      renameSync(dist, join(stage, `old-${attempt}`))
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
    try {
      return renameSync(join(stage, 'dist'), dist)
    } catch (error) {
      // Another build put its own in place between the two.
      if (!['ENOTEMPTY', 'EEXIST'].includes(error.code) || attempt === 10) throw error
    }
  }
}

/** Loads every built command once; one that can't be loaded fails the build. */
async function writeManifest() {
  settings.enableAutoTranspile = false
  const plugin = new Plugin({
    root,
    type: 'core',
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  })
  await plugin.load()
  const staged = join(stage, 'oclif.manifest.json')
  writeFileSync(staged, `${JSON.stringify(plugin.manifest, null, 2)}\n`)
  renameSync(staged, manifest)
}
