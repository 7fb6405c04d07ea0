import {spawn} from 'node:child_process'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {FeatureStore} from '../../src/feature-store.js'
import {KeyspacesProxy} from '../support/keyspaces-proxy.js'
import {fsBin, runFs} from '../support/run-fs.js'
import {sharedCassandra, type SharedCassandra} from '../support/shared-cassandra.js'
import {TcpProxy} from '../support/tcp-proxy.js'
import {UniformRepo} from '../support/uniform-repo.js'

let cassandra: SharedCassandra
beforeAll(async () => {
  cassandra = await sharedCassandra()
})
afterAll(() => cassandra[Symbol.asyncDispose]())

function repoIn(port: number, write: object, drivers: number): UniformRepo {
  const block = {type: 'cassandra', hosts: [`127.0.0.1:${port}`], keyspace: cassandra.keyspace, write}
  return new UniformRepo(JSON.stringify(block), drivers)
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

describe('a load while reads of the store are slow', () => {
  const rowsPerSecond = 400
  /** One way; a reader waits for the way back, too. */
  const delayMillis = 40

  /** Rows a second before reads are slow, from two seconds after on, and when they are quick again. */
  async function paceWith(
    latencyTargetMillis: number,
  ): Promise<{readonly before: number; readonly slow: number; readonly after: number}> {
    await using counting = await KeyspacesProxy.startPlain({
      cassandraHost: cassandra.host,
      cassandraPort: cassandra.port,
    })
    await using network = await TcpProxy.start(counting.port)
    // The load goes as fast as it was told to, which neither this machine nor the delay hinders.
    const write = {max_writes_per_second: rowsPerSecond, latency_target_ms: latencyTargetMillis}
    using repo = repoIn(network.port, write, 100_000)
    await repo.writeVersion(1)
    expect(await runFs(['apply', '-C', repo.folder])).toMatchObject({code: 0})
    await using reader = await FeatureStore.open(repo.folder)
    const readMillis = async (): Promise<number> => {
      const since = performance.now()
      await repo.readVersions(reader, [0])
      return performance.now() - since
    }
    const rateOver = async (millis: number): Promise<number> => {
      const [from, since] = [counting.stats().accepted, performance.now()]
      await sleep(millis)
      // Two statements write one row.
      return ((counting.stats().accepted - from) / 2 / (performance.now() - since)) * 1000
    }

    await using _load = startLoad(repo.folder)
    const atPace = async (): Promise<number> => {
      let rate = 0
      for (let tries = 0; tries < 15 && rate < rowsPerSecond * 0.8; tries += 1) rate = await rateOver(2000)
      return rate
    }
    const before = await atPace()
    network.delay(delayMillis)
    await sleep(2000)
    expect(await readMillis()).toBeGreaterThan(2 * delayMillis)
    const slow = await rateOver(3000)
    network.heal()
    return {before, slow, after: await atPace()}
  }

  test('yields within two seconds where they exceed the target, and comes back', async () => {
    const {before, slow, after} = await paceWith(50)
    expect(before).toBeGreaterThan(rowsPerSecond * 0.8)
    expect(slow).toBeLessThan(rowsPerSecond * 0.3)
    expect(after).toBeGreaterThan(rowsPerSecond * 0.8)
  })

  test('goes on where they do not', async () => {
    const {slow} = await paceWith(5000)
    expect(slow).toBeGreaterThan(rowsPerSecond * 0.8)
  })
})
