import {spawn} from 'node:child_process'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {KeyspacesProxy} from '../support/keyspaces-proxy.js'
import {fsBin, runFs} from '../support/run-fs.js'
import {sharedCassandra, type SharedCassandra} from '../support/shared-cassandra.js'
import {VersionedRepo} from '../support/versioned-repo.js'

let cassandra: SharedCassandra
beforeAll(async () => {
  cassandra = await sharedCassandra()
})
afterAll(() => cassandra[Symbol.asyncDispose]())

function repoIn(port: number, write: object, drivers: number): VersionedRepo {
  const block = {type: 'cassandra', hosts: [`127.0.0.1:${port}`], keyspace: cassandra.keyspace, write}
  return new VersionedRepo(JSON.stringify(block), drivers)
}

/** Starts a load, as cron would. */
function startLoad(folder: string): AsyncDisposable & {readonly ended: Promise<number | null>} {
  const child = spawn(process.execPath, [fsBin, 'materialize-incremental', '-C', folder], {stdio: 'ignore'})
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return {
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

describe('a load into a store that throttles', () => {
  // Two statements write one row. Few enough that this machine is never what limits them.
  const writesPerSecond = 1500
  const settlingSeconds = 20
  const steadySeconds = 10

  test('settles at nine tenths of what it takes, and is refused hardly ever', async () => {
    await using proxy = await KeyspacesProxy.startPlain({
      cassandraHost: cassandra.host,
      cassandraPort: cassandra.port,
      writesPerSecond,
    })
    // What else slows reads on this machine is not what this is about.
    using repo = repoIn(proxy.port, {latency_target_ms: 2000}, 100_000)
    await repo.writeVersion(1)
    expect(await runFs(['apply', '-C', repo.folder])).toMatchObject({code: 0})
    const from = proxy.stats().bySecond.length
    await using load = startLoad(repo.folder)
    const best = () => {
      const {bySecond} = proxy.stats()
      const means = Array.from({length: Math.max(0, bySecond.length - from - steadySeconds)}, (_, start) =>
        bySecond
          .slice(from + start, from + start + steadySeconds)
          .reduce((sum, {accepted}) => sum + accepted / steadySeconds, 0),
      )
      return Math.max(0, ...means.slice(0, settlingSeconds))
    }
    let isOver = false
    void load.ended.then(() => (isOver = true))
    while (best() < 0.9 * writesPerSecond && !isOver) {
      if (proxy.stats().bySecond.length - from > settlingSeconds + steadySeconds + 5) break
      await sleep(500)
    }
    const {accepted, refused, bySecond} = proxy.stats()
    expect(isOver).toBe(false)
    expect(best(), JSON.stringify(bySecond.slice(from))).toBeGreaterThanOrEqual(0.9 * writesPerSecond)
    expect(refused / (accepted + refused)).toBeLessThanOrEqual(0.05)
  })
})
