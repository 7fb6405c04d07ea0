// What a user waits for before anything happens, and the time of a plan that changes nothing.
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fsBin, timeInTurn, timeProcess} from './lib/whole-process.mjs'

const folder = mkdtempSync(join(tmpdir(), 'fs-bench-start-'))
try {
  const repo = join(folder, 'rides')
  timeProcess([fsBin, 'init', repo, '--template', 'minimal'])
  timeProcess([fsBin, 'apply', '--yes', '-C', repo])
  timeProcess([fsBin, 'materialize-incremental', '-C', repo])

  const read = [
    'get-online-features',
    '-C',
    repo,
    '--entity',
    'driver_id=1001',
    '--feature-service',
    'driver_activity',
  ]
  const [node, help, online] = timeInTurn(
    [
      ['-e', '0'],
      [fsBin, '--help'],
      [fsBin, ...read],
    ],
    15,
  )
  row('`fs --help`', `node -e 0 (${millis(node)})`, millis(help), `${(help / node).toFixed(2)}×`, '≤ 2.2×')
  row(
    '`fs get-online-features`',
    `node -e 0 (${millis(node)})`,
    millis(online),
    `${(online / node).toFixed(2)}×`,
    '≤ 4×',
  )

  const large = join(folder, 'large')
  timeProcess([fsBin, 'init', large, '--template', 'minimal'])
  writeFileSync(join(large, 'many.yaml'), Array.from({length: 500}, (_, index) => view(index)).join('---\n'))
  timeProcess([fsBin, 'apply', '--yes', '-C', large])
  const [plan] = timeInTurn([[fsBin, 'plan', '-C', large]], 5)
  row('`fs plan`, 500 views, unchanged', '—', millis(plan), `${plan.toFixed(2)} s`, '≤ 1.5 s')
} finally {
  rmSync(folder, {recursive: true, force: true})
}

function view(index) {
  return `kind: feature_view
name: view_${index}
entities: [driver]
source: driver_stats
ttl: 1d
schema:
  - {name: conv_rate, dtype: float64}
  - {name: acc_rate, dtype: float64}
`
}

function millis(seconds) {
  return `${Math.round(seconds * 1000)} ms`
}

function row(...cells) {
  console.log(`| ${cells.join(' | ')} |`)
}
