// Builds dist/ from src/, then lists the commands in oclif.manifest.json, so that `fs` starts without loading them all.
// The code is bundled into a few files, with what every command loads (oclif, yaml): a start reads some ten files, not
// two hundred, and takes four fifths of the time. Heavy packages stay outside and load when they are needed.
// Whoever runs `fs` or another build meanwhile sees the old files or the new ones. A build that fails leaves none.
import {spawnSync} from 'node:child_process'
import {chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Plugin, settings} from '@oclif/core'
import {build} from 'esbuild'
import {globSync} from 'tinyglobby'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const manifest = join(root, 'oclif.manifest.json')
// Beside dist/, not under node_modules, which may be another file system.
const stage = mkdtempSync(join(root, '.build-'))

try {
  checkAndDeclare()
  await bundle()
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

/** All types are checked, and told to users in .d.ts files. */
function checkAndDeclare() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['-p', 'tsconfig.json', '--noEmitOnError', '--emitDeclarationOnly', '--outDir']
  const {status} = spawnSync(process.execPath, [tsc, ...options, join(stage, 'dist')], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('The build stops here.')
}

async function bundle() {
  const {dependencies} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const {metafile} = await build({
    absWorkingDir: root,
    entryPoints: [
      'src/index.ts',
      'src/cli/run.ts',
      'src/cli/command-not-found.ts',
      ...globSync('src/commands/**/*.ts', {cwd: root}),
    ],
    outdir: join(stage, 'dist'),
    outbase: 'src',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // oclif asks for it only to run commands that are not built.
    external: [...Object.keys(dependencies), 'typescript'],
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    // For CommonJS within: oclif and what it needs.
    banner: {
      js: `import {createRequire as createRequireOfBundle} from 'node:module'
import {dirname as dirnameOfBundle} from 'node:path'
import {fileURLToPath as pathOfBundle} from 'node:url'
const require = createRequireOfBundle(import.meta.url), __filename = pathOfBundle(import.meta.url), __dirname = dirnameOfBundle(__filename);`,
    },
  })
  writeFileSync(join(stage, 'dist/LICENSES.txt'), licensesOf(Object.keys(metafile.inputs)))
}

/** The terms of every package that went into the bundle, which they ask to be kept with it. */
function licensesOf(inputs) {
  const folders = new Set(inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []))
  const texts = [...folders].sort().map((folder) => {
    const {name, version, license} = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const [file] = globSync(['licen[sc]e*', 'licen[sc]e'], {
      cwd: join(root, folder),
      caseSensitiveMatch: false,
    })
    const terms = file === undefined ? license : readFileSync(join(root, folder, file), 'utf8').trim()
    return `${name} ${version}\n\n${terms}\n`
  })
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
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
