/** Exact values through every way out of a store, and what is refused. */
import {readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'vitest'
import {
  batchRows,
  columnsOf,
  entityValues,
  featureRows,
  frameQuery,
  latestQuery,
  readFrame,
  readNewest,
  viewJoin,
} from '../../support/frames.js'
import type {Row} from '../../support/oracle.js'
import {readParquet} from '../../support/parquet.js'
import type {OfflineStoreFixture, OfflineSuite} from './fixture.js'

const types = {
  text: 'string',
  raw: 'bytes',
  flag: 'bool',
  small: 'int32',
  large: 'int64',
  half: 'float32',
  full: 'float64',
  money: 'decimal(38,9)',
  at: 'timestamp',
  day: 'date',
  texts: 'list<string>',
  larges: 'list<int64>',
  times: 'list<timestamp>',
  moneys: 'list<decimal(10,2)>',
  fulls: 'list<float64>',
  raws: 'list<bytes>',
} as const
const names = Object.keys(types)
const time = 1_704_110_400_123_456n

const samples: readonly Row[] = [
  [
    'ünï\'"😀',
    Uint8Array.of(0, 255),
    true,
    -(2 ** 31),
    2n ** 63n - 1n,
    0.5,
    0.1,
    '12345678901234567890123456789.123456789',
    -1n,
    '1969-12-31',
    ['a', null, ''],
    [2n ** 53n + 1n, null],
    [time, null, -1n],
    ['0.10', null, '-12345678.90'],
    [0.5, NaN, Infinity, null],
    [Uint8Array.of(0, 255), null],
  ],
  [
    '',
    new Uint8Array(),
    false,
    0,
    0n,
    -0.25,
    NaN,
    '-0.000000001',
    time,
    '2024-02-29',
    [],
    [],
    [],
    [],
    [],
    [],
  ],
  names.map(() => null),
]

async function writeSamples(fixture: OfflineStoreFixture, name: string) {
  const source = await fixture.writeSource(
    name,
    columnsOf({id: 'int64', happened: 'timestamp', ...types}),
    samples.map((values, id) => [BigInt(id), time, ...values]),
    'happened',
  )
  return featureRows(source, {id: 'int64'}, types)
}

const entities = entityValues(
  {id: 'int64', event_timestamp: 'timestamp', label: 'decimal(20,2)'},
  [2n, 0n, 1n, 0n, null].map((id) => [id, time, '0.10']),
)
const order = [2, 0, 1, 0]

export function describeValues({contract}: OfflineSuite): void {
  contract('every type comes out exactly, and null stays null', async (fixture) => {
    const rows = await writeSamples(fixture, 'exact')
    const frame = await readFrame(fixture.store, frameQuery(entities, [viewJoin(rows)]))
    expect(frame.columns.map(({valueType}) => valueType)).toEqual([
      'int64',
      'timestamp',
      'decimal(20,2)',
      ...Object.values(types),
    ])
    expect(frame.rows.map((row) => row.slice(3))).toEqual([
      ...order.map((id) => samples[id]),
      names.map(() => null),
    ])
    expect(frame.rows.map((row) => row[2])).toEqual(['0.10', '0.10', '0.10', '0.10', '0.10'])
    const newest = await readNewest(fixture.store, latestQuery(rows))
    expect(newest.rows.map(({values}) => values)).toEqual(samples)
  })

  contract('files hold the rows in order, exactly', async (fixture) => {
    const rows = await writeSamples(fixture, 'files')
    const query = frameQuery(entities, [viewJoin(rows)])
    const path = (ending: string) => join(fixture.directory, `frame.${ending}`)
    for (const format of ['parquet', 'csv', 'json', 'arrow'] as const) {
      await using job = await fixture.store.retrieve(query)
      expect(await job.writeFile(path(format), format)).toEqual({rows: 5})
      expect(await job.countRows()).toBe(5)
      expect(job.sql).not.toMatch(/\$\d/)
    }
    const expected = [...order.map((id) => samples[id]), names.map(() => null)]
    expect((await readParquet(path('parquet'))).rows.map((row) => row.slice(3))).toEqual(expected)

    const json = (await readFile(path('json'), 'utf8')).trimEnd().split('\n')
    expect(json).toHaveLength(5)
    expect(json[1]).toContain('"large":9223372036854775807')
    expect(JSON.parse(json[1] as string)).toMatchObject({
      event_timestamp: '2024-01-01T12:00:00.123456Z',
      money: '12345678901234567890123456789.123456789',
      raw: 'AP8=',
      at: '1969-12-31T23:59:59.999999Z',
    })
    expect(json[2]).toContain('"full":"NaN"')
    expect(json[1]).toContain('"larges":[9007199254740993,null]')
    const lists = {
      texts: ['a', null, ''],
      times: ['2024-01-01T12:00:00.123456Z', null, '1969-12-31T23:59:59.999999Z'],
      moneys: ['0.10', null, '-12345678.90'],
      fulls: [0.5, 'NaN', 'Infinity', null],
      raws: ['AP8=', null],
    }
    expect(JSON.parse(json[1] as string)).toMatchObject(lists)
    const csv = await readFile(path('csv'), 'utf8')
    expect(csv).toContain('9223372036854775807')
    expect(csv).toContain('12345678901234567890123456789.123456789')
    expect(csv).toContain('2024-01-01T12:00:00.123456Z')
    for (const list of Object.values(lists)) {
      expect(csv).toContain(`"${JSON.stringify(list).replaceAll('"', '""')}"`)
    }

    // What was written as Arrow is read as entity rows again, every column kept.
    const again = await readFrame(
      fixture.store,
      frameQuery({kind: 'file', path: path('arrow'), format: 'arrow'}, [
        viewJoin(rows, {outputs: [{feature: 'large', as: 'again'}]}),
      ]),
    )
    expect(again.rows.map((row) => row.slice(3, -1))).toEqual(expected)
    expect(again.rows.map((row) => row.at(-1))).toEqual(expected.map((row) => row?.[4]))
  })

  contract('a frame that fails leaves no file, and an earlier one as it was', async (fixture) => {
    const source = await fixture.writeSource(
      'odd',
      columnsOf({id: 'int64', happened: 'timestamp', count: 'string'}),
      [[1n, time, '1.5']],
      'happened',
    )
    const rows = featureRows(source, {id: 'int64'}, {count: 'int64'}, 'odd_view')
    const path = join(fixture.directory, 'kept.parquet')
    await writeFile(path, 'earlier')
    await using job = await fixture.store.retrieve(
      frameQuery(entityValues({id: 'int64', event_timestamp: 'timestamp'}, [[1n, time]]), [viewJoin(rows)]),
    )
    await expect(job.writeFile(path, 'parquet')).rejects.toMatchObject({
      code: 'FS_VALUE_OUT_OF_RANGE',
      message: expect.stringMatching(/odd_view.*count.*id=1.*1\.5/) as string,
    })
    expect(await readFile(path, 'utf8')).toBe('earlier')
    expect((await readdir(fixture.directory)).filter((name) => name.startsWith('kept'))).toEqual([
      'kept.parquet',
    ])
    await expect(job.writeFile(join(fixture.directory, 'no/such/frame.csv'), 'csv')).rejects.toMatchObject({
      code: 'FS_OUTPUT_FAILED',
    })
    const newest = await readNewest(fixture.store, latestQuery(rows))
    expect(newest.misfits).toEqual([{key: [1n], feature: 'count', value: '1.5'}])
  })

  contract('entity rows that can’t be joined are refused by name', async (fixture) => {
    const rows = await writeSamples(fixture, 'refused')
    const refusal = async (columns: Parameters<typeof entityValues>[0], row: Row) => {
      const query = frameQuery(entityValues(columns, [row]), [viewJoin(rows)])
      return readFrame(fixture.store, query).then(
        () => undefined,
        (error: unknown) => error,
      )
    }
    expect(await refusal({event_timestamp: 'timestamp'}, [time])).toMatchObject({
      code: 'FS_ENTITY_ROWS_INVALID',
      message: expect.stringContaining('`id`') as string,
    })
    expect(await refusal({id: 'int64'}, [1n])).toMatchObject({
      code: 'FS_ENTITY_ROWS_INVALID',
      message: expect.stringContaining('`event_timestamp`') as string,
    })
    expect(await refusal({id: 'string', event_timestamp: 'timestamp'}, ['12x', time])).toMatchObject({
      code: 'FS_ENTITY_KEY_INVALID',
      message: expect.stringMatching(/Row 1 .*`id`.*12x.*int64/) as string,
    })
    expect(await refusal({id: 'bool', event_timestamp: 'timestamp'}, [true, time])).toMatchObject({
      code: 'FS_ENTITY_KEY_INVALID',
    })
    expect(await refusal({id: 'int64', event_timestamp: 'timestamp'}, [1n, null])).toMatchObject({
      code: 'FS_ENTITY_ROWS_INVALID',
    })
  })

  contract(
    'rows without a key are counted and told whole, whatever their columns are called',
    async (fixture) => {
      const odd = {
        k0: 'string',
        'a "key"': 'int64',
        t: 'timestamp',
        c: 'timestamp',
        source: 'string',
        WHOLE: 'int32',
        f0: 'float64',
        one: 'string',
        entity: 'string',
        'frame:row': 'int64',
        v0: 'string',
      } as const
      const features = {source: 'string', WHOLE: 'int32', f0: 'float64', one: 'string', v0: 'string'} as const
      const all = [
        ['a', 1n, time, time, 's1', 1, 0.5, 'x', 'e', 1n, 'v'],
        [null, 1n, time, time, 's2', 2, 1.5, null, null, 2n, null],
        ['a', null, time + 1n, null, 's3', null, null, 'y', 'e', null, 'v'],
        ['b', 2n, time, null, null, 4, 2.5, 'z', 'e', 4n, 'w'],
      ] as const
      const source = await fixture.writeSource('odd_names', columnsOf(odd), all, 't', 'c')
      const rows = featureRows(source, {k0: 'string', 'a "key"': 'int64'}, features)
      const query = latestQuery(rows)
      const unkeyed: Row[] = []
      for await (const batch of fixture.store.readIncompleteRows(query)) {
        expect(batch.names).toEqual(Object.keys(odd))
        unkeyed.push(...batchRows(batch))
      }
      expect(unkeyed).toEqual([all[1], all[2]])
      expect(
        await fixture.store.summarizeSource({kind: 'source_summary', rows, intervals: query.intervals}),
      ).toMatchObject({
        rows: 4,
        incompleteRows: 2,
        newestEventTimestamp: time + 1n,
        newestCreatedTimestamp: time,
      })
      const pick = (row: Row) => [row[4], row[5], row[6], row[7], row[10]]
      const newest = await readNewest(fixture.store, query)
      expect(
        newest.rows
          .map(({key, values}) => ({key, values}))
          .toSorted((one, other) => Number(one.key[1]) - Number(other.key[1])),
      ).toEqual([
        {key: ['a', 1n], values: pick(all[0])},
        {key: ['b', 2n], values: pick(all[3])},
      ])
      const entities = entityValues(
        {
          k0: 'string',
          'a "key"': 'int64',
          t: 'timestamp',
          entity: 'string',
          'frame:row': 'int64',
          'frame:time': 'int64',
        },
        [['b', 2n, time, 'own', 7n, 8n]],
      )
      const frame = await readFrame(fixture.store, {
        ...frameQuery(entities, [viewJoin(rows)]),
        timestampColumn: 't',
      })
      expect(frame.rows).toEqual([['b', 2n, time, 'own', 7n, 8n, ...pick(all[3])]])
    },
  )

  contract('a source that is not there is said by name', async (fixture) => {
    const source = fixture.missingSource('nowhere')
    await expect(fixture.store.describeSource({source, inputs: {}})).rejects.toMatchObject({
      code: 'FS_SOURCE_UNREADABLE',
      message: expect.stringContaining('nowhere') as string,
    })
  })
}
