// Every benchmark, one after the other, as one table; `--peer feast` runs the comparison with Feast instead. `--write`
// keeps the table in bench/RESULTS.md, in its own section. BENCH_SCALE=0.1 makes the large ones smaller. `npm run
// services:up` installs the servers that they need, and starts the Cassandra that they use.
import {spawnSync} from 'node:child_process'
import {readFileSync, writeFileSync} from 'node:fs'
import {cpus, totalmem} from 'node:os'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'

const sections = {
  none: {
    title: 'Against the physical limit',
    command: 'npm run bench',
    parts: [
      'historical-features',
      'materialize',
      'online-read',
      'redis',
      'cassandra',
      'redshift',
      'pacing',
      'start-up',
    ],
  },
  feast: {title: 'Against Feast', command: 'npm run bench -- --peer feast', parts: ['feast']},
}
const results = fileURLToPath(new URL('RESULTS.md', import.meta.url))

const {values} = parseArgs({options: {peer: {type: 'string', default: 'none'}, write: {type: 'boolean'}}})
const section = sections[values.peer]
if (section === undefined) {
  console.error('usage: npm run bench -- [--peer feast] [--write]')
  process.exit(2)
}
const head = '| what | against | measured | ratio | aim |\n| --- | --- | --- | --- | --- |\n'
const rows = section.parts.map((part) => {
  console.error(`… ${part}`)
  const file = fileURLToPath(new URL(`${part}.mjs`, import.meta.url))
  const done = spawnSync(process.execPath, [file], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']})
  if (done.status !== 0) throw new Error(`${part} exited with ${done.status}`)
  return done.stdout
})
const machine = `${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
const table = `${head}${rows.join('')}`
console.log(`${machine}\n\n${table}`)
if (values.write === true) keep()

/** Puts the table where the last one of its section was; the other sections stay as they are. */
function keep() {
  const [intro, ...kept] = readFileSync(results, 'utf8').split(/^(?=## )/m)
  const day = new Date().toISOString().slice(0, 10)
  const text = `## ${section.title}\n\n\`${section.command}\`, on a shared machine (${machine}), ${day}.\n\n${table}`
  const at = kept.findIndex((one) => one.startsWith(`## ${section.title}\n`))
  kept.splice(at === -1 ? kept.length : at, 1, text)
  writeFileSync(results, `${[intro, ...kept].map((one) => one.trimEnd()).join('\n\n')}\n`)
}
