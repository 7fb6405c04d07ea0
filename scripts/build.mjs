// Builds dist/ from src/, then lists the commands in oclif.manifest.json, so that `fs` starts without loading them all.
import {spawnSync} from 'node:child_process'
import {chmodSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Plugin, settings} from '@oclif/core'

const root = fileURLToPath(new URL('..', import.meta.url))

for (const stale of ['dist', 'oclif.manifest.json']) rmSync(join(root, stale), {recursive: true, force: true})

const tsc = join(root, 'node_modules/typescript/bin/tsc')
const options = ['-p', 'tsconfig.json', '--noEmitOnError']
const {status} = spawnSync(process.execPath, [tsc, ...options], {cwd: root, stdio: 'inherit'})
if (status !== 0) process.exit(status ?? 1)

await writeManifest()
chmodSync(join(root, 'bin/run.js'), 0o755)

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
  writeFileSync(join(root, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest, null, 2)}\n`)
}
