// Every benchmark, one after the other, as one table; `--write` keeps it in bench/RESULTS.md. BENCH_SCALE=0.1 makes the
// large ones smaller. `npm run services:up` installs the servers that it needs.
import {spawnSync} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import {cpus, totalmem} from 'node:os'
import {fileURLToPath} from 'node:url'

const parts = ['historical-features', 'materialize', 'online-read', 'redis', 'start-up']
const head = '| what | against | measured | ratio | aim |\n| --- | --- | --- | --- | --- |\n'
const rows = parts.map((part) => {
  console.error(`… ${part}`)
  const file = fileURLToPath(new URL(`${part}.mjs`, import.meta.url))
  const done = spawnSync(process.execPath, [file], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']})
  if (done.status !== 0) throw new Error(`${part} exited with ${done.status}`)
  return done.stdout
})
const machine = `${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
const table = `${head}${rows.join('')}`
console.log(`${machine}\n\n${table}`)
if (process.argv.includes('--write')) {
  writeFileSync(
    fileURLToPath(new URL('RESULTS.md', import.meta.url)),
    `# Results

\`npm run bench\`, on a shared machine (${machine}), ${new Date().toISOString().slice(0, 10)}. Each figure is the median
of several runs, taken in turn with what it is compared with, in the same run on the same data. A ratio above its aim is
a miss, and stands here as one.

${table}`,
  )
}
