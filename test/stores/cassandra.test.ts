import type cassandra from 'cassandra-driver'
import {afterAll, afterEach, beforeAll, describe, expect, test, vi} from 'vitest'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineStore} from '../../src/online/online-store.js'
import {describeOnlineStore, onlineRows, onlineTable} from '../conformance/online-store.js'
import {runFs, runFsJson} from '../support/run-fs.js'
import {dropAllTables, sharedCassandra, type SharedCassandra} from '../support/shared-cassandra.js'
import {UniformRepo} from '../support/uniform-repo.js'

let server: SharedCassandra
let client: cassandra.Client
let keyspace = ''
let place = ''
beforeAll(async () => {
  server = await sharedCassandra()
  ;({client, keyspace} = server)
  place = `${keyspace}.rides__driver`
})
afterAll(() => server[Symbol.asyncDispose]())

const contact = () => `${server.host}:${server.port}`
const openStore = (project: string, access: 'read' | 'write'): Promise<OnlineStore> =>
  openOnlineStore(
    {type: 'cassandra', settings: {hosts: [contact()], keyspace}},
    {project, repoDirectory: '/', access},
  )

const dropTables = () => dropAllTables(client, keyspace)

describeOnlineStore('Cassandra', () =>
  Promise.resolve({
    open: openStore,
    close: dropTables,
  }),
)

describe('what only Cassandra does', () => {
  const table = onlineTable('driver', {driver_id: 'int64'}, {rate: 'float64', label: 'string'})
  const row = (id: bigint, event: bigint, created: bigint | null, rate: number, label: string) => ({
    key: [id],
    event,
    created,
    values: [rate, label],
  })
  const read = async (store: OnlineStore, id = 1n) =>
    (await store.read([{table, keys: [[id]], features: ['rate', 'label']}]))[0]?.[0]
  const liveRows = async (): Promise<number> =>
    Number((await client.execute(`SELECT COUNT(*) FROM ${place}`)).rows[0]?.['count'])

  afterEach(dropTables)

  test('a column that was dropped by hand is not added again: what is written to it would be hidden', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    await store.write(table, onlineRows(table, [row(1n, 5n, null, 1.5, 'a')]))
    await client.execute(`ALTER TABLE ${place} DROP rate`)
    const told = {
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringMatching(
        /^Column rate of table .*rides__driver, .* was dropped by hand/,
      ) as string,
      hint: expect.stringContaining('DROP TABLE') as string,
    }
    await expect(store.prepare([table])).rejects.toMatchObject(told)
    await client.execute(`ALTER TABLE ${place} ADD rate double`)
    await expect(store.prepare([table])).rejects.toMatchObject(told)
    await client.execute(`DROP TABLE ${place}`)
    await store.prepare([table])
    await store.write(table, onlineRows(table, [row(1n, 5n, null, 1.5, 'a')]))
    expect((await read(store))?.values).toEqual([1.5, 'a'])
  })

  test('a table that somebody made where ours was is neither changed nor dropped', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    expect(store.nameForOthers('driver')).toBe(place)
    await client.execute(`DROP TABLE ${place}`)
    await client.execute(`CREATE TABLE ${place} (driver_id bigint PRIMARY KEY, x text)`)
    await client.execute(`INSERT INTO ${place} (driver_id, x) VALUES (1, 'mine')`)
    await expect(store.prepare([table])).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringContaining('has another primary key than the table that was made') as string,
    })
    await store.drop(['driver'])
    const {rows} = await client.execute(`SELECT * FROM ${place}`)
    expect(rows.map((one) => ({...one}))).toEqual([{driver_id: expect.anything() as unknown, x: 'mine'}])
  })

  test('a table that goes, or loses a column, under a load that has written to it: the view changed, the server is well', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const write = (event: bigint) =>
      store.write(table, onlineRows(table, [row(1n, event, null, 1.5, 'a')])).catch((error: unknown) => error)
    await write(5n)
    await read(store)
    await client.execute(`ALTER TABLE ${place} DROP rate`)
    const told = {code: 'FS_VIEW_CHANGED', message: expect.stringContaining('rate') as string}
    expect(await write(6n)).toMatchObject(told)
    await expect(read(store)).rejects.toMatchObject(told)
    await client.execute(`DROP TABLE ${place}`)
    expect(await write(7n)).toMatchObject({
      code: 'FS_VIEW_CHANGED',
      message: expect.stringContaining('rides__driver') as string,
    })
    expect(await read(store)).toBeUndefined()
  })

  test('a row that is too large is rejected by itself, and one just below is taken', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const sizes = [10, 15 * 1024 * 1024 - 1000, 17 * 1024 * 1024]
    const rows = sizes.map((size, id) => row(BigInt(id), 1n, null, 1, 'x'.repeat(size)))
    const {rejected} = await store.write(table, onlineRows(table, rows))
    expect(rejected).toEqual([
      {
        row: 2,
        reason: expect.stringMatching(
          /^its values take 178\d+ bytes, and Cassandra takes at most 15728640 a row$/,
        ) as string,
      },
    ])
    for (const [id, size] of sizes.slice(0, 2).entries())
      expect((await read(store, BigInt(id)))?.values[1]).toHaveLength(size)
    expect(await read(store, 2n)).toBeUndefined()
  })

  test('other programs read a row of native columns for each entity', async () => {
    await using store = await openStore('rides', 'write')
    const typed = onlineTable(
      'all',
      {zone: 'string', day: 'date'},
      {n: 'int64', x: 'float32', price: 'decimal(9,2)', at: 'timestamp', tags: 'list<string>', ok: 'bool'},
    )
    await store.prepare([typed])
    const values = [7n, 1.5, '12.30', 1_700_000_000_123_456n, ['a', null], true]
    const key = ['north', '2026-01-02']
    await store.write(typed, onlineRows(typed, [{key, event: 5n, created: null, values}]))
    const {rows} = await client.execute(`SELECT * FROM ${keyspace}.rides__all PER PARTITION LIMIT 1`)
    expect(rows).toHaveLength(1)
    const [found] = rows
    expect(String(found?.['day'])).toBe('2026-01-02')
    expect(String(found?.['price'])).toBe('12.30')
    expect(String(found?.['at'])).toBe('1700000000123456')
    expect(found).toMatchObject({zone: 'north', x: 1.5, tags: ['a', ''], ok: true})
    expect(found?.['null_elements']).toEqual({tags: [1]})
  })

  test('fs status names the table of each view for them', async () => {
    using repo = new UniformRepo(JSON.stringify({type: 'cassandra', hosts: [contact()], keyspace}), 1)
    await repo.writeVersion(1)
    expect(await runFs(['apply', '-C', repo.folder])).toMatchObject({code: 0})
    const {stdout} = await runFs(['status', '-C', repo.folder])
    const [, table = ''] = /TABLE *\n.* (\S+\.\S+) *\n/.exec(stdout) ?? []
    expect(await runFsJson(['status', '-C', repo.folder])).toMatchObject({views: [{online_table: table}]})
    await runFs(['materialize-incremental', '-C', repo.folder])
    expect((await client.execute(`SELECT * FROM ${table}`)).rows).toHaveLength(1)
    expect(await runFs(['teardown', '--yes', '-C', repo.folder])).toMatchObject({code: 0})
  })

  test('writes at once with the same times never mix, and a correction wins however they meet', async () => {
    const writers = await Promise.all(Array.from({length: 4}, () => openStore('rides', 'write')))
    await writers[0]?.prepare([table])
    const ids = Array.from({length: 50}, (_, id) => BigInt(id))
    const flow = {counts: 'sent'} as const
    for (let round = 0; round < 5; round += 1) {
      // Each writer has other cells that are larger than those of the others: a mixture would take one of each.
      await Promise.all(
        writers.flatMap((store, writer) => [
          store.write(
            table,
            onlineRows(
              table,
              ids.map((id) => row(id, 100n, null, writer, `writer ${9 - writer}`)),
            ),
            undefined,
            flow,
          ),
          store.write(
            table,
            onlineRows(
              table,
              ids.map((id) => row(id, 100n, BigInt(writer), 10 + writer, `correction ${writer}`)),
            ),
            undefined,
            flow,
          ),
        ]),
      )
      for (const id of ids)
        expect(await read(writers[0] as OnlineStore, id)).toEqual({
          eventTimestamp: 100n,
          values: [13, 'correction 3'],
        })
    }
    // And without a correction: the row of one of them, whole.
    await Promise.all(
      writers.map((store, writer) =>
        store.write(
          table,
          onlineRows(
            table,
            ids.map((id) => row(id, 200n, null, writer, `writer ${9 - writer}`)),
          ),
          undefined,
          flow,
        ),
      ),
    )
    for (const id of ids) {
      const [rate, label] = (await read(writers[0] as OnlineStore, id))?.values ?? []
      expect(label).toBe(`writer ${9 - Number(rate)}`)
    }
    expect(await liveRows()).toBe(ids.length)
    for (const store of writers) await store[Symbol.asyncDispose]()
  })

  test('a correction with the same times wins, also over what came from a machine whose clock is ahead', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const ahead = vi.spyOn(performance, 'timeOrigin', 'get').mockReturnValue(performance.timeOrigin + 600_000)
    await using elsewhere = await openStore('rides', 'write')
    await elsewhere.write(table, onlineRows(table, [row(1n, 5n, null, 1, 'wrong')]))
    ahead.mockRestore()
    await store.write(table, onlineRows(table, [row(1n, 5n, null, 2, 'right')]))
    expect((await read(store))?.values).toEqual([2, 'right'])
  })

  test('an older row is dead when it arrives, and a newer one leaves nothing behind', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    for (const event of [5n, 3n, 9n, 4n, -7n])
      await store.write(table, onlineRows(table, [row(1n, event, null, Number(event), 'x')]), undefined, {
        counts: 'sent',
      })
    expect(await read(store)).toEqual({eventTimestamp: 9n, values: [9, 'x']})
    expect(await liveRows()).toBe(1)
  })

  test('a row expires by itself, as long after its event time as it is kept', async () => {
    await using store = await openStore('rides', 'write')
    await store.prepare([table])
    const hour = 3_600_000_000n
    const now = BigInt(Date.now()) * 1000n
    const life = {keepFor: 2n * hour, now}
    await store.write(table, onlineRows(table, [row(1n, now - hour, null, 1, 'x')]), life)
    const ttl = async () =>
      Number((await client.execute(`SELECT TTL(rate) AS ttl FROM ${place}`)).rows[0]?.['ttl'] ?? 0)
    expect(await ttl()).toBeGreaterThan(3500)
    expect(await ttl()).toBeLessThanOrEqual(3600)
    await store.write(table, onlineRows(table, [row(1n, now - hour, null, 1, 'x')]), {
      ...life,
      keepFor: 9n * hour,
    })
    expect(await ttl()).toBeGreaterThan(28_000)
    await store.write(table, onlineRows(table, [row(1n, now - hour, null, 1, 'x')]))
    expect(await ttl()).toBe(0)
  })

  test('is prepared by several at once, the keyspace included', async () => {
    for (let round = 0; round < 2; round += 1) {
      const name = `${keyspace}_at_once_${round}`
      const stores = await Promise.all(
        Array.from({length: 5}, (_, at) =>
          openOnlineStore(
            {
              type: 'cassandra',
              settings: {hosts: [contact()], keyspace: name, createKeyspace: {replicationFactor: 1}},
            },
            {project: `rides_${at % 2}`, repoDirectory: '/', access: 'write'},
          ),
        ),
      )
      try {
        const own = (at: number) => onlineTable(`own_${at}`, {driver_id: 'int64'}, {rate: 'float64'})
        await Promise.all(stores.map((store, at) => store.prepare([table, own(at)])))
        expect(await stores[0]?.listTables()).toEqual(['driver', 'own_0', 'own_2', 'own_4'])
      } finally {
        for (const store of stores) await store[Symbol.asyncDispose]()
        await client.execute(`DROP KEYSPACE IF EXISTS ${name}`)
      }
    }
  })

  test('leaves tables alone that it did not make', async () => {
    await using store = await openStore('rides', 'write')
    const [other] = [onlineTable('other', {id: 'int64'}, {n: 'int32'})]
    await store.prepare([other])
    await client.execute(`CREATE TABLE ${place} (driver_id bigint PRIMARY KEY, rate double)`)
    await expect(store.prepare([table])).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringContaining('rides__driver'),
    })
    await store.drop(['driver', 'other'])
    expect((await client.execute(`SELECT * FROM ${place}`)).rows).toEqual([])
  })

  test('refuses a feature whose name its tables have themselves', async () => {
    await using store = await openStore('rides', 'write')
    await expect(
      store.prepare([onlineTable('odd', {id: 'int64'}, {row_version: 'int32'})]),
    ).rejects.toMatchObject({code: 'FS_NOT_SUPPORTED', message: expect.stringContaining('row_version')})
  })

  test('does not take a keyspace that is not there for one without rows', async () => {
    await using store = await openOnlineStore(
      {type: 'cassandra', settings: {hosts: [contact()], keyspace: 'nowhere'}},
      {project: 'rides', repoDirectory: '/', access: 'read'},
    )
    await expect(read(store)).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringMatching(/keyspace nowhere: .*does not exist/i),
      hint: expect.stringContaining('create_keyspace'),
    })
  })

  test('says who does not answer, and what is wrong with the data center', async () => {
    const open = (settings: Record<string, unknown>) =>
      openOnlineStore(
        {type: 'cassandra', settings: {keyspace, ...settings}},
        {project: 'rides', repoDirectory: '/', access: 'read'},
      )
    await using closed = await open({hosts: ['127.0.0.1:1']})
    await expect(closed.listTables()).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      message: expect.stringMatching(/127\.0\.0\.1:1.*ECONNREFUSED/),
    })
    await using elsewhere = await open({hosts: [contact()], loadBalancing: {localDc: 'moon'}})
    await expect(elsewhere.listTables()).rejects.toMatchObject({
      code: 'FS_STORE_UNAVAILABLE',
      hint: expect.stringContaining('local_dc'),
    })
  })
})
