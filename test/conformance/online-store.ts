/** What every online store promises; a store passes when `describeOnlineStore` passes on it, unchanged. */
import fc from 'fast-check'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {Value, ValueType} from '../../src/definitions/value-type.js'
import type {OnlineStore, OnlineTable} from '../../src/online/online-store.js'
import {giveStoreIdentity, storeIdentity} from '../../src/online/store-identity.js'
import {onlineRows, onlineTable, type TestRow} from './online-rows.js'

export {columnOf, onlineRows, onlineTable, type TestRow} from './online-rows.js'

export interface OnlineStoreFixture {
  /** Opens the store for a project; all projects of one fixture share the server or folder. */
  open(project: string, access: 'read' | 'write'): Promise<OnlineStore>
  /** Removes whatever the store holds. */
  close(): Promise<void>
}

/** A store that can't tell cheaply how many rows a table has says nothing; one that tells must be right. */
async function expectCount(store: OnlineStore, table: OnlineTable, rows: number): Promise<void> {
  const told = await store.countRows(table)
  if (told !== undefined) expect(told).toBe(rows)
}

export function describeOnlineStore(name: string, open: () => Promise<OnlineStoreFixture>): void {
  describe(`${name} is an online store`, () => {
    let fixture: OnlineStoreFixture
    let store: OnlineStore
    beforeEach(async () => {
      fixture = await open()
      store = await fixture.open('rides', 'write')
    })
    afterEach(async () => {
      await store[Symbol.asyncDispose]()
      await fixture.close()
    })

    const driver = onlineTable('driver', {driver_id: 'int64'}, {rate: 'float64', trips: 'int64'})
    const readAll = async (table: OnlineTable, keys: readonly (readonly Value[])[]) => {
      const [rows] = await store.read([{table, keys, features: table.features.map((field) => field.name)}])
      return rows
    }

    test('gives back every value of every type, exactly', async () => {
      const samples: Partial<Record<ValueType, readonly (Value | null)[]>> = {
        string: ['', 'a:b', 'ünïcödé 🚕', 'nul\0inside', null],
        bytes: [new Uint8Array(), Uint8Array.of(0, 255, 0, 1), null],
        bool: [true, false, null],
        int32: [2147483647, -2147483648, 0, null],
        int64: [9223372036854775807n, -9223372036854775808n, 9007199254740993n, 0n, null],
        float32: [1.5, -0, Infinity, NaN, null],
        float64: [0.1, -0, -Infinity, NaN, 5e-324, 1.7976931348623157e308, null],
        'decimal(38,9)': ['12345678901234567890123456789.123456789', '-0.000000001', null],
        timestamp: [0n, -1n, 1704067200123456n, null],
        date: ['1970-01-01', '1969-12-31', '2024-02-29', null],
        json: ['{"a":[1,2,null]}', null],
        'list<int64>': [[], [1n, null, 9007199254740993n], null],
        'list<string>': [['a', '', null, 'ü'], null],
        'list<float64>': [[0.1, NaN, null], null],
        'list<date>': [['2024-02-29', null], null],
        'list<bool>': [[true, null, false], null],
        'list<bytes>': [[Uint8Array.of(0), null], null],
      }
      for (const [type, values] of Object.entries(samples) as [ValueType, readonly (Value | null)[]][]) {
        const table = onlineTable(
          `v_${type.replaceAll(/\W/g, '_')}`,
          {id: 'int64'},
          {before: 'bool', value: type, after: 'string'},
        )
        await store.prepare([table])
        await store.write(
          table,
          onlineRows(
            table,
            values.map((value, index) => ({
              key: [BigInt(index)],
              event: 1n,
              created: null,
              values: [true, value, 'x'],
            })),
          ),
        )
        const rows = await readAll(
          table,
          values.map((_, index) => [BigInt(index)]),
        )
        expect(rows, type).toEqual(values.map((value) => ({eventTimestamp: 1n, values: [true, value, 'x']})))
      }
    })

    test('tells apart keys of every type, and composite keys that would collide when joined', async () => {
      const cases: [OnlineTable, readonly (readonly Value[])[]][] = [
        [
          onlineTable('text', {a: 'string', b: 'string'}, {n: 'int32'}),
          [
            ['a', 'b:c'],
            ['a:b', 'c'],
            ['', 'a'],
            ['a', ''],
            ['a\0', 'b'],
            ['a', '\0b'],
            ['\0', ''],
            ['', '\0'],
          ],
        ],
        [
          onlineTable('number', {a: 'int64', b: 'int64'}, {n: 'int32'}),
          [
            [1n, 23n],
            [12n, 3n],
            [-1n, 23n],
            [9007199254740993n, 0n],
            [9007199254740992n, 0n],
          ],
        ],
        [
          onlineTable('mixed', {a: 'bool', b: 'bytes', c: 'date', d: 'timestamp', e: 'int32'}, {n: 'int32'}),
          [
            [true, Uint8Array.of(0), '2024-01-01', 1n, 1],
            [true, Uint8Array.of(0, 0), '2024-01-01', 1n, 1],
            [false, Uint8Array.of(), '1969-12-31', -1n, -1],
          ],
        ],
      ]
      await store.prepare(cases.map(([table]) => table))
      for (const [table, keys] of cases) {
        await store.write(
          table,
          onlineRows(
            table,
            keys.map((key, index) => ({key, event: 1n, created: null, values: [index]})),
          ),
        )
      }
      for (const [table, keys] of cases) {
        expect(await readAll(table, keys)).toEqual(
          keys.map((_, index) => ({eventTimestamp: 1n, values: [index]})),
        )
        await expectCount(store, table, keys.length)
      }
    })

    test('ends the same whatever the order, the batches and the repetitions of writes', async () => {
      const row = fc.record({
        key: fc.integer({min: 0, max: 3}).map((id) => [BigInt(id)]),
        event: fc.integer({min: -2, max: 2}).map(BigInt),
        created: fc.option(fc.integer({min: -2, max: 2}).map(BigInt)),
      })
      let round = 0
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(row, {maxLength: 8}), {maxLength: 5}), async (batches) => {
          round += 1
          const table = onlineTable(
            'guard',
            {id: 'int64'},
            {rate: 'float64', trips: 'int64'},
            `guard_${round}`,
          )
          await store.prepare([table])
          const expected = new Map<bigint, TestRow>()
          let serial = 0
          for (const batch of batches) {
            const rows = batch.map((one): TestRow => ({...one, values: [(serial += 1), 1n]}))
            for (const one of rows) {
              const [id] = one.key as [bigint]
              const stored = expected.get(id)
              if (stored === undefined || !older(one, stored)) expected.set(id, one)
            }
            await store.write(table, onlineRows(table, rows))
          }
          const keys = [0n, 1n, 2n, 3n].map((id) => [id])
          expect(await readAll(table, keys)).toEqual(
            keys.map(([id]) => {
              const one = expected.get(id as bigint)
              return one === undefined ? undefined : {eventTimestamp: one.event, values: one.values}
            }),
          )
          await expectCount(store, table, expected.size)
          await store.drop([table.name])
        }),
        {numRuns: 60},
      )
    }, 120_000)

    test('writes of many rows at once do not mix', async () => {
      await store.prepare([driver])
      const batch = (from: number) =>
        Array.from({length: 6000}, (_, index): TestRow => ({
          key: [BigInt(from + index)],
          event: 1n,
          created: null,
          values: [from + index, BigInt(from + index)],
        }))
      const starts = [0, 10_000, 20_000]
      const results = await Promise.all(
        starts.map((from) => store.write(driver, onlineRows(driver, batch(from)))),
      )
      expect(results.map(({written, unchanged}) => [written, unchanged])).toEqual(starts.map(() => [6000, 0]))
      for (const from of starts) {
        const rows = await readAll(
          driver,
          batch(from).map(({key}) => key),
        )
        expect(rows?.map((row) => row?.values)).toEqual(batch(from).map(({values}) => values))
      }
    })

    test('counts what it wrote and what it left', async () => {
      await store.prepare([driver])
      const at = (event: bigint, created: bigint | null, trips: bigint) =>
        onlineRows(driver, [{key: [1n], event, created, values: [0.5, trips]}])
      expect(await store.write(driver, at(5n, null, 1n))).toEqual({written: 1, unchanged: 0, rejected: []})
      expect(await store.write(driver, at(5n, null, 1n))).toEqual({written: 0, unchanged: 1, rejected: []})
      expect(await store.write(driver, at(4n, 9n, 2n))).toEqual({written: 0, unchanged: 1, rejected: []})
      expect(await store.write(driver, at(5n, null, 3n))).toEqual({written: 1, unchanged: 0, rejected: []})
      expect(await store.write(driver, at(5n, 1n, 4n))).toEqual({written: 1, unchanged: 0, rejected: []})
      expect(await store.write(driver, at(5n, null, 5n))).toEqual({written: 0, unchanged: 1, rejected: []})
      expect(await readAll(driver, [[1n]])).toEqual([{eventTimestamp: 5n, values: [0.5, 4n]}])
    })

    test('answers in the order asked for, several tables at once', async () => {
      const zone = onlineTable('zone', {zone: 'string'}, {demand: 'float64'})
      await store.prepare([driver, zone])
      await store.write(
        driver,
        onlineRows(
          driver,
          [1n, 2n, 3n].map((id) => ({key: [id], event: id, created: null, values: [Number(id), id]})),
        ),
      )
      await store.write(zone, onlineRows(zone, [{key: ['north'], event: 7n, created: null, values: [2.5]}]))
      expect(
        await store.read([
          {table: driver, keys: [[3n], [9n], [1n], [3n]], features: ['trips', 'rate']},
          {table: zone, keys: [['north'], ['south']], features: ['demand']},
          {table: driver, keys: [], features: ['rate']},
        ]),
      ).toEqual([
        [
          {eventTimestamp: 3n, values: [3n, 3]},
          undefined,
          {eventTimestamp: 1n, values: [1n, 1]},
          {eventTimestamp: 3n, values: [3n, 3]},
        ],
        [{eventTimestamp: 7n, values: [2.5]}, undefined],
        [],
      ])
    })

    test('reads rows from before a schema change by the schema they were written with', async () => {
      await store.prepare([driver])
      await store.write(
        driver,
        onlineRows(driver, [{key: [1n], event: 1n, created: null, values: [0.5, 7n]}]),
      )
      const changed = onlineTable('driver', {driver_id: 'int64'}, {city: 'string', trips: 'int64'})
      await store.prepare([changed])
      expect(await readAll(changed, [[1n]])).toEqual([{eventTimestamp: 1n, values: [null, 7n]}])
      await store.write(
        changed,
        onlineRows(changed, [{key: [1n], event: 2n, created: null, values: ['Rome', 8n]}]),
      )
      expect(await readAll(changed, [[1n]])).toEqual([{eventTimestamp: 2n, values: ['Rome', 8n]}])
      await expectCount(store, changed, 1)
    })

    test('may prepare and drop twice, and drops nothing but what is named', async () => {
      const other = onlineTable('driver_2', {driver_id: 'int64'}, {rate: 'float64'})
      await store.prepare([driver, other])
      await store.prepare([driver, other])
      await store.write(driver, onlineRows(driver, [{key: [1n], event: 1n, created: null, values: [1, 1n]}]))
      await store.write(other, onlineRows(other, [{key: [1n], event: 1n, created: null, values: [1]}]))
      expect(await store.listTables()).toEqual(['driver', 'driver_2'])
      await store.drop(['driver', 'never_was'])
      await store.drop(['driver'])
      expect(await store.listTables()).toEqual(['driver_2'])
      expect(await readAll(driver, [[1n]])).toEqual([undefined])
      expect(await readAll(other, [[1n]])).toEqual([expect.objectContaining({eventTimestamp: 1n})])
      await expectCount(store, other, 1)
      await store.prepare([driver])
      expect(await readAll(driver, [[1n]])).toEqual([undefined])
      await expectCount(store, driver, 0)
    })

    test('keeps projects apart', async () => {
      const other = await fixture.open('rides2', 'write')
      try {
        await store.prepare([driver])
        await other.prepare([driver])
        await store.write(
          driver,
          onlineRows(driver, [{key: [1n], event: 1n, created: null, values: [1, 1n]}]),
        )
        await expectCount(other, driver, 0)
        await other.drop(await other.listTables())
        expect(await readAll(driver, [[1n]])).toEqual([{eventTimestamp: 1n, values: [1, 1n]}])
      } finally {
        await other[Symbol.asyncDispose]()
      }
    })

    test('rejects a row that it can not hold, alone', async () => {
      const text = onlineTable('text', {id: 'string'}, {n: 'int32'})
      await store.prepare([text])
      const rows = ['a', 'x'.repeat(3000), 'b'].map((id, index): TestRow => ({
        key: [id],
        event: 1n,
        created: null,
        values: [index],
      }))
      const result = await store.write(text, onlineRows(text, rows))
      expect(result.written + result.rejected.length).toBe(3)
      const read = await readAll(text, [['a'], ['b']])
      expect(read).toEqual([
        {eventTimestamp: 1n, values: [0]},
        {eventTimestamp: 1n, values: [2]},
      ])
      for (const reject of result.rejected)
        expect(reject).toMatchObject({row: 1, reason: expect.stringMatching(/key/)})
    })

    test('reclaims rows that are older than asked, and no other', async () => {
      await store.prepare([driver])
      await store.write(
        driver,
        onlineRows(
          driver,
          Array.from({length: 100}, (_, id) => ({
            key: [BigInt(id)],
            event: BigInt(id),
            created: null,
            values: [id, 0n],
          })),
        ),
      )
      const removed = await store.removeExpired(driver, 40n)
      const rows = await readAll(
        driver,
        Array.from({length: 100}, (_, id) => [BigInt(id)]),
      )
      expect(rows?.slice(40).every((row) => row !== undefined)).toBe(true)
      expect(rows?.filter((row) => row === undefined)).toHaveLength(removed)
    })

    test('keeps rows as long as they are to live, each by its own event time', async () => {
      await store.prepare([driver])
      const hour = 3_600_000_000n
      const now = BigInt(Date.now()) * 1000n
      const rows = [now - 2n * hour, now - hour, now, now + hour].map((event, id): TestRow => ({
        key: [BigInt(id)],
        event,
        created: null,
        values: [id, 0n],
      }))
      const life = {keepFor: hour + 60_000_000n, now}
      await store.write(driver, onlineRows(driver, rows), life)
      // Written again, equal and newer, they live on; without a life, for ever.
      await store.write(driver, onlineRows(driver, rows.slice(1, 3)), {keepFor: 10n * hour, now})
      await store.write(driver, onlineRows(driver, rows.slice(3)))
      const read =
        (await readAll(
          driver,
          rows.map(({key}) => key),
        )) ?? []
      expect(read.slice(1).map((row) => row?.values[0])).toEqual([1, 2, 3])
      // The first was too old already: a store may hold it, or not.
      if (read[0] !== undefined) expect(read[0].values[0]).toBe(0)
    })

    test('removes rows of a snapshot unless newer ones are there, and lets them come back older', async () => {
      const table = {...driver, isSnapshot: true}
      const row = (id: bigint, event: bigint, created: bigint | null = null): TestRow => ({
        key: [id],
        event,
        created,
        values: [Number(event), id],
      })
      await store.prepare([table])
      await store.write(
        table,
        onlineRows(table, [row(1n, 5n), row(2n, 5n, 3n), row(3n, 5n, 3n), row(4n, 5n)]),
      )
      const {features: _features, ...told} = onlineRows(table, [
        row(1n, 5n),
        row(2n, 5n, 2n),
        row(3n, 6n),
        row(4n, 4n, 9n),
        row(9n, 5n),
      ])
      expect(await store.remove(table, told)).toBeGreaterThanOrEqual(3)
      const keys = [1n, 2n, 3n, 4n, 9n].map((id) => [id])
      const events = async () => (await readAll(table, keys))?.map((one) => one?.eventTimestamp)
      expect(await events()).toEqual([undefined, 5n, undefined, 5n, undefined])
      await expectCount(store, table, 2)
      await store.remove(table, told)
      expect(await events()).toEqual([undefined, 5n, undefined, 5n, undefined])
      // Older than what was removed, and the very same again.
      await store.write(table, onlineRows(table, [row(1n, 4n), row(3n, 5n, 3n)]))
      expect(await events()).toEqual([4n, 5n, 5n, 5n, undefined])
    })

    test('a reader sees what a writer wrote, also when it was opened before there was anything', async () => {
      const reader = await fixture.open('early', 'read')
      const writer = await fixture.open('early', 'write')
      try {
        const request = [{table: driver, keys: [[1n]], features: ['trips']}]
        expect(await reader.read(request)).toEqual([[undefined]])
        await writer.prepare([driver])
        await writer.write(
          driver,
          onlineRows(driver, [{key: [1n], event: 1n, created: null, values: [1, 41n]}]),
        )
        expect(await reader.read(request)).toEqual([[{eventTimestamp: 1n, values: [41n]}]])
        await writer.drop(['driver'])
        await writer.prepare([driver])
        expect(await reader.read(request)).toEqual([[undefined]])
        await writer.write(
          driver,
          onlineRows(driver, [{key: [1n], event: 1n, created: null, values: [1, 42n]}]),
        )
        expect(await reader.read(request)).toEqual([[{eventTimestamp: 1n, values: [42n]}]])
      } finally {
        await reader[Symbol.asyncDispose]()
        await writer[Symbol.asyncDispose]()
      }
    })

    test('a reader that was open before a schema change reads what was written after it', async () => {
      const reader = await fixture.open('changing', 'read')
      const writer = await fixture.open('changing', 'write')
      try {
        const keys = [[1n], [2n]] as const
        const rows = (table: OnlineTable, ...values: readonly TestRow['values'][]) =>
          onlineRows(
            table,
            values.map((row, index) => ({key: keys[index] ?? [], event: 1n, created: null, values: row})),
          )
        await writer.prepare([driver])
        await writer.write(driver, rows(driver, [0.5, 7n], [1.5, 8n]))
        const request = [{table: driver, keys, features: ['trips']}]
        expect(await reader.read(request)).toEqual([
          [7n, 8n].map((trips) => ({eventTimestamp: 1n, values: [trips]})),
        ])
        const changed = onlineTable(
          'driver',
          {driver_id: 'int64'},
          {city: 'string', rate: 'float64', trips: 'int64'},
        )
        await writer.prepare([changed])
        await writer.write(changed, rows(changed, ['Rome', 0.5, 17n], ['Oslo', 1.5, 18n]))
        expect(await reader.read(request)).toEqual([
          [17n, 18n].map((trips) => ({eventTimestamp: 1n, values: [trips]})),
        ])
      } finally {
        await reader[Symbol.asyncDispose]()
        await writer[Symbol.asyncDispose]()
      }
    })

    test('has a note that runs share, and that one of several replaces at a time', async () => {
      await store.prepare([driver])
      // Whatever their project, where projects share a store at all.
      const other = await fixture.open(store.isPaced ? 'bikes' : 'rides', 'write')
      try {
        await other.prepare([driver])
        const {text: before, nowMillis} = await store.notes.runs.read()
        expect(nowMillis).toBeGreaterThan(Date.parse('2020-01-01'))
        let text = before
        for (let round = 0; round < 5; round += 1) {
          const texts = Array.from({length: 6}, (_, writer) => `round ${round}, wrïter ${writer}`)
          const replaced = await Promise.all(
            texts.map((next, writer) => (writer % 2 === 0 ? store : other).notes.runs.replace(text, next)),
          )
          expect(replaced.filter(Boolean)).toHaveLength(1)
          text = texts[replaced.indexOf(true)]
          expect((await store.notes.runs.read()).text).toBe(text)
          expect((await other.notes.runs.read()).text).toBe(text)
        }
        expect(await store.notes.runs.replace('another', 'x')).toBe(false)
        expect(await store.notes.runs.replace(undefined, 'x')).toBe(false)
        const {nowMillis: later} = await other.notes.runs.read()
        expect(later).toBeGreaterThanOrEqual(nowMillis)
        expect(await store.notes.runs.replace(text, '')).toBe(true)
        expect((await store.notes.runs.read()).text).toBe('')
        expect(await store.listTables()).toEqual(['driver'])
      } finally {
        await other[Symbol.asyncDispose]()
      }
    })

    test('has an identity, the same for all who ask, also when it is opened again', async () => {
      await store.prepare([driver])
      const other = await fixture.open('rides', 'write')
      const reader = await fixture.open('rides', 'read')
      try {
        const given = await Promise.all([giveStoreIdentity(store), giveStoreIdentity(other)])
        expect(given[0]).toMatch(/^[0-9a-f-]{36}$/)
        expect(given[1]).toBe(given[0])
        expect(await storeIdentity(reader)).toBe(given[0])
        await store.drop(['driver'])
        await store.prepare([driver])
        expect(await giveStoreIdentity(store)).toBe(given[0])
      } finally {
        await reader[Symbol.asyncDispose]()
        await other[Symbol.asyncDispose]()
      }
    })

    test('counts the loads of a table, by any who note them, until it is dropped', async () => {
      await store.prepare([driver])
      const other = await fixture.open('rides', 'write')
      const reader = await fixture.open('rides', 'read')
      try {
        expect(await reader.loads.last('driver')).toBe(0)
        expect(await store.loads.next('driver', 0)).toBe(1)
        expect(await other.loads.next('driver', 0)).toBe(2)
        const atOnce = await Promise.all(
          Array.from({length: 4}, (_, at) => (at % 2 === 0 ? store : other).loads.next('driver', 2)),
        )
        expect(new Set(atOnce).size).toBe(4)
        const last = await reader.loads.last('driver')
        expect(last).toBe(Math.max(...atOnce.map(Number)))
        // Somebody knows of more: the store went back, and takes no note that would hide it.
        expect(await store.loads.next('driver', last + 1)).toBeUndefined()
        expect(await reader.loads.last('driver')).toBe(last)
        expect(await reader.loads.last('driver_2')).toBe(0)
        await store.drop(['driver'])
        await store.prepare([driver])
        expect(await reader.loads.last('driver')).toBe(0)
      } finally {
        await reader[Symbol.asyncDispose]()
        await other[Symbol.asyncDispose]()
      }
    })

    test('names the same servers as long as none of them ends', async () => {
      await store.prepare([driver])
      const servers = await store.volatileServers()
      expect(new Set(servers).size).toBe(servers.length)
      expect([...(await store.volatileServers())].sort()).toEqual([...servers].sort())
    })

    test('answers nobody once it is closed, and is not opened anew by who still asks', async () => {
      await store.prepare([driver])
      const closed = await fixture.open('rides', 'write')
      await closed.listTables()
      await closed[Symbol.asyncDispose]()
      const read = async () => closed.read([{table: driver, keys: [[1n]], features: ['trips']}])
      await expect(read()).rejects.toThrow(/closed/i)
      await expect(closed.listTables()).rejects.toThrow(/closed/i)
      await expect(closed.notes.runs.read()).rejects.toThrow(/closed/i)
      await expect(closed.notes.runs.replace(undefined, '{}')).rejects.toThrow(/closed/i)
      // It does not wait for what is over: that would be half a minute.
    }, 20_000)

    test('refuses to write to a table that was not prepared', async () => {
      await expect(
        store.write(driver, onlineRows(driver, [{key: [1n], event: 1n, created: null, values: [1, 1n]}])),
      ).rejects.toMatchObject({code: 'FS_VIEW_CHANGED'})
    })
  })
}

function older(a: TestRow, b: TestRow): boolean {
  if (a.event !== b.event) return a.event < b.event
  if (a.created === null || b.created === null) return a.created === null && b.created !== null
  return a.created < b.created
}
