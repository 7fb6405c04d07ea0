// Proves that the package works where it will be used: packed, installed in an empty folder, run from there. Needs the
// registry for the dependencies.
import {execFileSync} from 'node:child_process'
import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

const root = new URL('..', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'fs-package-'))

function run(command, args, cwd) {
  console.log(`$ ${command} ${args.join(' ')}`)
  execFileSync(command, args, {cwd, stdio: 'inherit', env: {...process.env, npm_config_loglevel: 'error'}})
}

try {
  run('npx', ['--no-install', 'publint', '--strict'], root)
  run('npm', ['pack', '--silent', '--pack-destination', folder], root)
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  run('npx', ['--no-install', 'attw', join(folder, tarball), '--profile', 'esm-only'], root)

  writeFileSync(join(folder, 'package.json'), JSON.stringify({name: 'user', private: true, type: 'module'}))
  run('npm', ['install', '--no-audit', '--no-fund', `./${tarball}`], folder)
  run('npx', ['--no-install', 'fs', '--version'], folder)
  run('npx', ['--no-install', 'fs', 'init', 'rides', '--template', 'minimal'], folder)
  for (const args of [['validate'], ['apply', '--yes'], ['materialize-incremental'], ['status']]) {
    run('npx', ['--no-install', 'fs', ...args, '-C', 'rides'], folder)
  }

  // Types, as a user's own compiler sees them, without skipLibCheck.
  writeFileSync(
    join(folder, 'use.ts'),
    `import {entity, FeatureStore, featureView, fileSource} from 'feature-repo'
const driver = entity({name: 'driver', joinKeys: [{name: 'driver_id', valueType: 'int64'}]})
export const stats = featureView({
  name: 'stats',
  entities: [driver],
  source: fileSource({name: 's', path: 'x.parquet', timestampField: 'event_timestamp'}),
  schema: [{name: 'conv_rate', valueType: 'float64'}],
})
const store = await FeatureStore.open('rides')
await store.status()
await store.close()
`,
  )
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023', '--module', 'nodenext']
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node']
  run(process.execPath, [compiler, ...options, ...types, 'use.ts'], folder)
} finally {
  rmSync(folder, {recursive: true, force: true})
}
