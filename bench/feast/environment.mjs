/** Feast in a Python environment of its own, with every version pinned: its libraries have no upper bounds. */
import {spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {cacheFolder} from '../../scripts/services/cache-folder.mjs'

const [requirements, constraints] = ['requirements.txt', 'constraints.txt'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
)
const pins = readFileSync(requirements, 'utf8') + readFileSync(constraints, 'utf8')
const folder = join(cacheFolder, `feast-${createHash('sha256').update(pins).digest('hex').slice(0, 12)}`)

export const feastVersion = /^feast\S*==(\S+)$/m.exec(pins)[1]

/** The Python that has Feast; makes its environment where there is none. pip's own settings say where packages come from. */
export function feastPython() {
  const python = join(folder, 'bin/python')
  const complete = join(folder, 'complete')
  if (existsSync(complete)) return python
  rmSync(folder, {recursive: true, force: true})
  mkdirSync(folder, {recursive: true})
  console.error(`  Feast ${feastVersion} goes to ${folder}`)
  run('python3', '-m', 'venv', folder)
  run(python, '-m', 'pip', 'install', '--quiet', '--requirement', requirements, '--constraint', constraints)
  writeFileSync(complete, '')
  return python
}

function run(command, ...args) {
  const {status, error} = spawnSync(command, args, {stdio: ['ignore', 'inherit', 'inherit']})
  if (status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}: ${error?.message ?? `exit code ${status}`}. Feast needs Python 3.11.`,
    )
}
