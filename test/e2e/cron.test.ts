import {execFile, spawn} from 'node:child_process'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {fsBin, runFs, runFsJson} from '../support/run-fs.js'

const run = promisify(execFile)

describe('materialize-incremental on cron', () => {
  let folder = ''
  let repo = ''
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fs-cron-'))
    repo = join(folder, 'rides')
    expect((await runFs(['init', repo, '--template', 'minimal'])).code).toBe(0)
    expect((await runFs(['apply', '--yes', '-C', repo])).code).toBe(0)
  })
  afterEach(() => rmSync(folder, {recursive: true, force: true}))

  test('works with an empty environment, from another folder, and says nothing', async () => {
    const {stdout, stderr} = await run(
      'env',
      ['-i', process.execPath, fsBin, 'materialize-incremental', '--quiet', '-C', repo],
      {cwd: '/'},
    )
    expect(stdout).toBe('')
    expect(stderr).toBe('')
    const status = await runFsJson(['status', '-C', repo])
    expect(status['views']).toMatchObject([{name: 'driver_hourly_stats', last_run: {status: 'ok'}}])
  })

  test('speaks, and exits with 1, when a view failed', async () => {
    rmSync(join(repo, 'data/driver_stats.parquet'))
    const result = await runFs(['materialize-incremental', '--quiet', '-C', repo])
    expect(result.code).toBe(1)
    expect(result.stdout).toBe('')
    expect(result.stderr).toContain('driver_stats.parquet')
  })

  test('an online store that was lost is loaded again, and status says so before', async () => {
    const load = () => runFsJson(['materialize-incremental', '-C', repo])
    const written = async () => (await load())['views'] as {rows: {written: number}; notes?: string[]}[]
    expect((await written())[0]?.rows.written).toBeGreaterThan(0)
    expect((await written())[0]?.rows.written).toBe(0)
    rmSync(join(repo, 'data/online'), {recursive: true})
    expect((await runFsJson(['status', '-C', repo]))['views']).toMatchObject([{lost: true, rows: 0}])
    const [again] = await written()
    expect(again?.rows.written).toBeGreaterThan(0)
    expect(again?.notes?.[0]).toContain('had lost its rows')
    expect((await runFsJson(['status', '-C', repo]))['views']).toMatchObject([{lost: false}])
    expect((await written())[0]?.rows.written).toBe(0)
  })

  test('a run killed in the middle leaves nothing stuck', async () => {
    for (let round = 0; round < 5; round += 1) {
      const child = spawn(process.execPath, [fsBin, 'materialize-incremental', '-C', repo], {stdio: 'ignore'})
      const ended = new Promise((resolve) => child.on('close', resolve))
      await new Promise((resolve) => setTimeout(resolve, 150 + round * 80))
      child.kill('SIGKILL')
      await ended
      // Nobody waits for a process that is gone.
      expect((await runFsJson(['status', '-C', repo]))['views']).toMatchObject([{loading: null}])
      const {runs} = (await runFsJson(['runs', 'list', '-C', repo])) as {runs: {status: string}[]}
      expect(runs.map(({status}) => status)).not.toContain('running')
    }
    const result = await runFs(['materialize-incremental', '--quiet', '-C', repo])
    expect(result).toMatchObject({code: 0, stderr: ''})
  })
})
