import {afterEach, describe, expect, test} from 'vitest'
import {FeatureStoreError} from '../../src/errors.js'
import {validateRepo} from '../../src/repo/validate-repo.js'
import {driverColumns, driverYaml, RepoFolder, viewYaml} from './repo-folder.js'

const open: RepoFolder[] = []
const repo = (files: Readonly<Record<string, string>>): RepoFolder => {
  const folder = new RepoFolder(files)
  open.push(folder)
  return folder
}
afterEach(() => open.splice(0).forEach((folder) => folder.remove()))

const view = (rest: string) =>
  `kind: feature_view\nname: v\nentities: [driver]\nsource: driver_stats\n${rest}`
const service = (features: string) => `${viewYaml}---\nkind: feature_service\nname: s\nfeatures:\n${features}`
const query = (name: string, sql: string) =>
  `kind: data_source\nname: ${name}\ntype: query\nquery: ${sql}\ntimestamp_field: event_timestamp\n`

describe('validateRepo', () => {
  test('a view may stand twice in a service, told apart by full names alone', async () => {
    const twice =
      '  - {view: driver_hourly_stats, name: origin, join_key_map: {driver_id: o_id}}\n' +
      '  - {view: driver_hourly_stats, name: target, join_key_map: {driver_id: t_id}}\n'
    const {featureServices} = await repo({'a.yaml': driverYaml, 'b.yaml': service(twice)}).validate()
    expect(featureServices[0]?.features).toHaveLength(2)
  })

  test('infers a schema in the order of the source, without keys and times', async () => {
    const {featureViews} = await repo({'a.yaml': driverYaml, 'v.yaml': view('')}).validate()
    expect(featureViews[0]?.schema).toEqual([
      {name: 'conv_rate', valueType: 'float64'},
      {name: 'acc_rate', valueType: 'float64'},
    ])
  })

  test.each([
    [
      'an unknown entity',
      view('').replace('driver]', 'drivr]'),
      3,
      12,
      'no entity `drivr`',
      'Did you mean `driver`?',
    ],
    [
      'an unknown source',
      view('').replace('_stats', '_stat'),
      4,
      9,
      'no data source `driver_stat`',
      '`driver_stats`',
    ],
    [
      'a name taken but for case',
      'kind: entity\nname: DRIVER\njoin_keys: [x]\nvalue_type: int64\n',
      2,
      7,
      'taken by entity/driver at a.yaml:2:7',
      'Rename',
    ],
    [
      'a feature twice',
      view('schema:\n  - {name: conv_rate, dtype: float64}\n  - {name: conv_rate, dtype: float64}\n'),
      7,
      12,
      '`conv_rate` stands twice',
      'Remove',
    ],
    [
      'a reserved feature',
      view('schema: [{name: event_timestamp, dtype: timestamp}]\n'),
      5,
      17,
      'reserved',
      'field_mapping',
    ],
    [
      'a feature that is a key',
      view('schema: [{name: driver_id, dtype: int64}]\n'),
      5,
      17,
      'also a join key of entity `driver`',
      'Remove',
    ],
    [
      'a feature that is a time',
      view('schema: [{name: created, dtype: timestamp}]\n'),
      5,
      17,
      'also a timestamp column',
      'Remove',
    ],
    [
      'an entity twice',
      view('').replace('[driver]', '[driver, driver]'),
      3,
      20,
      '`driver` stands twice',
      'Remove',
    ],
    [
      'entities that share a key',
      `kind: entity\nname: rider\njoin_keys: [driver_id]\nvalue_type: int64\n---\n${view('').replace('[driver]', '[driver, rider]')}`,
      8,
      20,
      'share the join key `driver_id`',
      'Rename',
    ],
    [
      'knowledge time without a created timestamp',
      `${query('q', 'from driver_stats')}---\n${view('knowledge_time: true\n').replace('driver_stats', 'q')}`,
      11,
      17,
      'no created_timestamp_column',
      'Add',
    ],
    [
      'a missing feature',
      view('schema: [{name: conv_rat, dtype: float64}]\n'),
      5,
      10,
      'feature `conv_rat` is not in source `driver_stats` (columns: driver_id,',
      'Did you mean `conv_rate`?',
    ],
    [
      'a type that does not fit',
      view('schema: [{name: conv_rate, dtype: bool}]\n'),
      5,
      35,
      'declared as bool, but the column is FLOAT64',
      'Declare it as float64',
    ],
    [
      'a key that is no column',
      `kind: entity\nname: rider\njoin_keys: [rider_id]\nvalue_type: int64\n---\n${view('').replace('[driver]', '[rider]')}`,
      8,
      12,
      'join key `rider_id` of entity `rider` is not in source',
      'Did you mean `driver_id`?',
    ],
    [
      'a query in a circle',
      `${query('p', 'from q')}---\n${query('q', 'from p')}`,
      4,
      8,
      'leads back to itself: p -> q -> p',
      'Take one',
    ],
    [
      'a database without a table',
      'kind: data_source\nname: d\ntype: duckdb\npath: x.db\ntimestamp_field: event_timestamp\n',
      1,
      1,
      'neither `table` nor `query`',
      'Add',
    ],
    [
      'a database with both',
      'kind: data_source\nname: d\ntype: duckdb\npath: x.db\ntable: t\nquery: from t\ntimestamp_field: event_timestamp\n',
      6,
      8,
      'both `table` and `query`',
      'Remove',
    ],
    [
      'a time that is no column',
      query('q', 'from driver_stats').replace('event_timestamp', 'event_time'),
      5,
      18,
      'column `event_time` is not in source `q`',
      'Did you mean `event_timestamp`?',
    ],
    [
      'a time that is no time',
      query('q', 'from driver_stats').replace('event_timestamp', 'conv_rate'),
      5,
      18,
      'is FLOAT64 in the source. Expected a timestamp or a date',
      'Name another',
    ],
    [
      'a mapping of nothing',
      query('q', 'from driver_stats') + 'field_mapping: {conv: rate}\n',
      6,
      23,
      'column `conv` is not in source',
      undefined,
    ],
    [
      'an unknown view',
      service('  - driver_hourly_stat\n'),
      10,
      5,
      'no feature view `driver_hourly_stat`',
      'Did you mean `driver_hourly_stats`?',
    ],
    [
      'an unknown feature',
      service('  - {view: driver_hourly_stats, features: [conv]}\n'),
      10,
      44,
      'has no feature `conv` (features: conv_rate)',
      undefined,
    ],
    [
      'a map of an unknown key',
      service('  - {view: driver_hourly_stats, join_key_map: {id: x}}\n'),
      10,
      52,
      'no join key `id` (join keys: driver_id)',
      'Name a join key',
    ],
    [
      'a view twice',
      service(
        '  - {view: driver_hourly_stats, features: [{name: conv_rate, alias: a}]}\n  - {view: driver_hourly_stats, features: [{name: conv_rate, alias: b}]}\n',
      ),
      11,
      5,
      'under the name `driver_hourly_stats` twice',
      'another `name`',
    ],
    [
      'a name that every object has',
      viewYaml.replace('driver_hourly_stats', 'toString'),
      2,
      7,
      '`toString` is a reserved name',
      'another name',
    ],
    [
      'two outputs of one name',
      service(
        '  - {view: driver_hourly_stats, features: [{name: acc_rate, alias: conv_rate}, conv_rate]}\n',
      ).replace('schema: [', 'schema: [{name: acc_rate, dtype: float64}, '),
      10,
      80,
      '`driver_hourly_stats:acc_rate` and `driver_hourly_stats:conv_rate` would both be named `conv_rate`',
      'alias',
    ],
  ])('tells the place of %s', async (_, text, line, column, message, hint) => {
    const problems = await repo({'a.yaml': driverYaml, 'b.yaml': text}).problems()
    expect(problems[0]).toMatchObject({
      file: 'b.yaml',
      line,
      column,
      message: expect.stringContaining(message),
      ...(hint === undefined ? {} : {hint: expect.stringContaining(hint)}),
    })
  })

  test('tells all problems at once, sorted, and each once', async () => {
    const folder = repo({
      'b.yaml': view('ttl: soon\n').replace('name: v', 'name: broken'),
      'a.yaml': driverYaml.replace('created\n', 'creatd\n'),
      'c.yaml': `kind: feature_service\nname: s\nfeatures: [broken, nothing]\n`,
    })
    expect(
      (await folder.problems()).map(({file, line, column, code, address}) => [
        file,
        line,
        column,
        code,
        address,
      ]),
    ).toEqual([
      ['a.yaml', 10, 27, 'FS_SOURCE_MISMATCH', 'data_source/driver_stats/created_timestamp_column'],
      ['b.yaml', 5, 6, 'FS_DEFINITION_INVALID', 'feature_view/broken/ttl'],
      ['c.yaml', 3, 20, 'FS_DEFINITION_UNKNOWN', 'feature_service/s/features/1/view'],
    ])
  })

  test.each([
    ['cassandra', 'hosts: [h], keyspace: k', 3],
    ['redis', 'connection_string: h', 0],
  ])('names that tables of %s have themselves are no names of columns', async (type, settings, count) => {
    const yaml = `project: rides\nonline_store: {type: ${type}, ${settings}}\n`
    const files = {
      'feature_store.yaml': yaml,
      'a.yaml': driverYaml,
      'v.yaml': view(
        'schema:\n  - {name: conv_rate, dtype: float64}\n  - {name: row_version, dtype: int64}\n',
      ),
      'w.yaml': view('').replace('name: v', 'name: inferred'),
      'off.yaml': view('online: false\n').replace('name: v', 'name: off'),
    }
    const columns = {...driverColumns, row_version: 'int64', null_elements: 'int64'} as const
    const problems = await repo(files).problems(columns)
    expect(problems).toHaveLength(count)
    expect(problems).toMatchObject(
      [
        {file: 'v.yaml', line: 7, column: 12, message: expect.stringContaining('`row_version`') as string},
        {file: 'w.yaml', line: 4, message: expect.stringContaining('`row_version`') as string},
        {file: 'w.yaml', line: 4, message: expect.stringContaining('`null_elements`') as string},
      ].slice(0, count),
    )
  })

  test('calls nothing unknown while a file cannot be read', async () => {
    const problems = await repo({'v.yaml': viewYaml, 'bad.yaml': 'kind: [\n'}).problems()
    expect(problems.map(({file}) => file)).toEqual(['bad.yaml'])
  })

  test('puts what the store says of a source at the source, and looks at each source once', async () => {
    const folder = repo({'a.yaml': driverYaml, 'v.yaml': viewYaml, 'w.yaml': view('')})
    const asked: string[] = []
    const contents = await folder.load()
    const attempt = validateRepo(contents, ({source}) => {
      asked.push(source.name)
      return Promise.reject(
        new FeatureStoreError('FS_SOURCE_UNREADABLE', 'There is no such file.', {hint: 'Write it.'}),
      )
    })
    await expect(attempt).rejects.toMatchObject({
      code: 'FS_VALIDATION_FAILED',
      message: 'The repo has 1 problem.',
      problems: [{code: 'FS_SOURCE_UNREADABLE', file: 'a.yaml', line: 8, column: 7, hint: 'Write it.'}],
    })
    expect(asked).toEqual(['driver_stats'])
  })

  test('lets a bug of a store through as it is', async () => {
    const contents = await repo({'a.yaml': driverYaml}).load()
    await expect(validateRepo(contents, () => Promise.reject(new TypeError('a bug')))).rejects.toThrow(
      TypeError,
    )
  })

  test('refuses to infer what no type holds, or nothing', async () => {
    const files = {'a.yaml': driverYaml, 'v.yaml': view('')}
    expect(await repo(files).problems({...driverColumns, shape: 'GEOMETRY'})).toMatchObject([
      {
        code: 'FS_SOURCE_MISMATCH',
        file: 'v.yaml',
        message: expect.stringContaining('column `shape`'),
        hint: expect.stringContaining('Declare a `schema`'),
      },
    ])
    const {conv_rate: _conv, acc_rate: _acc, ...bare} = driverColumns
    expect(await repo(files).problems(bare as never)).toMatchObject([
      {message: expect.stringContaining('no column left')},
    ])
  })
})
