import {afterEach, describe, expect, test} from 'vitest'
import {driverYaml, RepoFolder, viewYaml} from './repo-folder.js'

const open: RepoFolder[] = []
const repo = (files: Readonly<Record<string, string>>): RepoFolder => {
  const folder = new RepoFolder(files)
  open.push(folder)
  return folder
}
afterEach(() => open.splice(0).forEach((folder) => folder.remove()))

const names = async (folder: RepoFolder) =>
  (await folder.load()).definitions.map(({definition}) => `${definition.kind}/${definition.name}`).toSorted()

const entityYaml = (name: string) => `kind: entity\nname: ${name}\njoin_keys: [id]\nvalue_type: int64\n`

const driverTs = `import {entity, featureService, featureView, fileSource} from 'feature-repo'

const driver = entity({name: 'driver', joinKeys: [{name: 'driver_id', valueType: 'int64'}]})
const stats = featureView({
  name: 'driver_hourly_stats',
  entities: [driver],
  source: fileSource({
    name: 'driver_stats',
    path: 'data/driver_stats.parquet',
    timestampField: 'event_timestamp',
    createdTimestampColumn: 'created',
    fieldMapping: {conv_raw: 'conv_rate'},
    tags: {camelCase: 'x', snake_case: 'y'},
  }),
  ttl: '24h',
  schema: [{name: 'conv_rate', valueType: 'float64'}],
  knowledgeTime: true,
})
export const activity = featureService({
  name: 'driver_activity',
  features: [{view: stats, name: 'other', features: [{name: 'conv_rate', alias: 'cr'}], joinKeyMap: {driver_id: 'other_id'}}],
})
`

const sameInYaml = `${driverYaml}field_mapping: {conv_raw: conv_rate}
tags: {camelCase: x, snake_case: y}
---
kind: feature_view
name: driver_hourly_stats
entities: [driver]
source: driver_stats
ttl: 1d
schema: [{name: conv_rate, dtype: Float64}]
knowledge_time: true
---
kind: feature_service
name: driver_activity
features:
  - {view: driver_hourly_stats, name: other, features: [{name: conv_rate, alias: cr}], join_key_map: {driver_id: other_id}}
`

describe('which files hold definitions', () => {
  test('all YAML and TypeScript files but those of others', async () => {
    const folder = repo({
      'a.yaml': `---\n# nothing\n---\n${entityYaml('a')}---\n${entityYaml('a2')}`,
      'deep/down/b.yml': entityYaml('b'),
      'c.ts': `import {entity} from 'feature-repo'\nexport default entity({name: 'c', joinKeys: [{name: 'id', valueType: 'int64'}]})\n`,
      'c.test.ts': 'throw new Error("a test")',
      'c.d.ts': 'this is not read',
      'node_modules/x/x.yaml': 'not: read',
      '.github/x.yaml': 'not: read',
      'data/online/x.yaml': 'not: read',
      'data/rejects/x.yaml': 'not: read',
      'docs/x.yaml': 'not: read',
      'docs/keep.yaml': entityYaml('kept'),
      'empty.yaml': '',
      '.fsignore': 'docs/*\n!docs/keep.yaml\n',
    })
    expect(await names(folder)).toEqual(['entity/a', 'entity/a2', 'entity/b', 'entity/c', 'entity/kept'])
    expect((await folder.load()).problems).toEqual([])
  })

  test('anchors and merge keys are YAML like any other', async () => {
    const folder = repo({
      'a.yaml': `kind: entity\nname: a\njoin_keys:\n  - &key {name: id, value_type: int64}\n  - {<<: *key, name: id2}\n`,
    })
    const [loaded] = (await folder.load()).definitions
    expect(loaded?.definition).toMatchObject({joinKeys: [{name: 'id'}, {name: 'id2', valueType: 'int64'}]})
  })
})

describe('TypeScript', () => {
  test('ends in the same data as YAML, with what it refers to', async () => {
    const columns = {
      driver_id: 'int64',
      event_timestamp: 'timestamp',
      created: 'timestamp',
      conv_rate: 'float64',
    }
    const fromTs = await repo({'driver.ts': driverTs}).validate(columns)
    expect(fromTs).toEqual(await repo({'driver.yaml': sameInYaml}).validate(columns))
    expect(fromTs.featureViews[0]?.ttl).toBe(86_400_000_000n)
    expect(Object.isFrozen(fromTs.featureViews[0]?.schema)).toBe(true)
  })

  test('mixes with YAML, by name', async () => {
    const folder = repo({
      'driver.yaml': driverYaml,
      'view.ts': `import {featureView} from 'feature-repo'\nexport const views = ['a', 'b'].map((name) => featureView({name, entities: ['driver'], source: 'driver_stats'}))\n`,
    })
    const {featureViews} = await folder.validate()
    expect(featureViews.map(({name, schema}) => [name, schema.map((field) => field.name)])).toEqual([
      ['a', ['conv_rate', 'acc_rate']],
      ['b', ['conv_rate', 'acc_rate']],
    ])
  })

  test('exported from several files, a definition is one', async () => {
    const folder = repo({
      'driver.ts': driverTs,
      'index.ts': `export * from './driver.js'\nexport * from './driver'\n`,
    })
    expect(await names(folder)).toHaveLength(4)
  })

  test.each([
    ['a syntax error', `export const a = 1\nexport const b = {{\n`, 2, 19, 'Expected'],
    [
      'an error while it runs',
      `const list: string[] = []\n\nexport const a = list[0]!.length\n`,
      3,
      27,
      "reading 'length'",
    ],
    [
      'a file that is not there',
      `import {a} from './missing.js'\nexport const b = a\n`,
      1,
      17,
      'no file `./missing.js`',
    ],
    [
      'a package that is not there',
      `\nimport {a} from 'no-such-package-here'\nexport const b = a\n`,
      2,
      17,
      'no package `no-such-package-here`',
    ],
  ])('tells the place of %s, and reads the other files', async (_, text, line, column, message) => {
    const folder = repo({'bad.ts': text, 'driver.ts': driverTs})
    expect(await names(folder)).toHaveLength(4)
    const {problems, incomplete} = await folder.load()
    expect(incomplete).toBe(true)
    expect(problems).toEqual([
      expect.objectContaining({
        code: 'FS_TYPESCRIPT_INVALID',
        file: 'bad.ts',
        line,
        column,
        message: expect.stringContaining(message),
      }),
    ])
  })

  test('is checked like YAML, in its own spelling, at the line of the builder', async () => {
    const folder = repo({
      'a.ts': `import {entity, featureView} from 'feature-repo'

export const a = entity({name: 'a', joinKeys: [{name: 'id', valuetype: 'int64'}]} as never)
export const v = featureView({
  name: 'v', entities: ['a'], source: 's', schema: [{name: 'f', valueType: 'int' as never}],
})
`,
    })
    const {problems} = await folder.load()
    expect(problems.map(({file, line, message, hint}) => [file, line, message, hint])).toEqual([
      [
        'a.ts',
        3,
        'entity/a: Unknown key `joinKeys[0].valuetype`. Expected one of: name, valueType.',
        'Did you mean `valueType`?',
      ],
      [
        'a.ts',
        4,
        expect.stringContaining('feature_view/v: `schema[0].valueType` is `int`. Expected one of: '),
        undefined,
      ],
    ])
  })
})

describe('a malformed YAML document', () => {
  test.each([
    [
      'a kind there is not',
      'kind: featureview\nname: v\n',
      1,
      7,
      'no kind `featureview`',
      'Did you mean `feature_view`?',
    ],
    ['no kind', 'name: v\n', 1, 1, 'no `kind`', '.fsignore'],
    ['an unknown key', viewYaml + 'ttll: 1d\n', 6, 1, 'Unknown key `ttll`', 'Did you mean `ttl`?'],
    [
      'a ttl that is no duration',
      viewYaml + 'ttl: one day\n',
      6,
      6,
      '`ttl` is `one day`. Expected a duration',
      undefined,
    ],
    [
      'a lateness that is a number',
      viewYaml + 'lateness: 5\n',
      6,
      11,
      '`lateness` is the number 5',
      undefined,
    ],
    [
      'a type there is not',
      viewYaml.replace('float64', 'double'),
      5,
      35,
      '`schema[0].dtype` is `double`',
      undefined,
    ],
    [
      'a float join key',
      driverYaml.replace('int64', 'float64'),
      3,
      43,
      '`float64`. Expected a type whose values',
      undefined,
    ],
    [
      'a join key without a type',
      driverYaml.replace('{name: driver_id, value_type: int64}', 'driver_id'),
      3,
      13,
      'has no type',
      'Add `value_type`',
    ],
    [
      'no join key',
      driverYaml.replace('{name: driver_id, value_type: int64}', ''),
      3,
      12,
      '`join_keys` is an empty list',
      undefined,
    ],
    [
      'a reserved sign',
      viewYaml.replace('driver_hourly_stats', 'a:b'),
      2,
      7,
      '`a:b`. Expected a letter',
      undefined,
    ],
    [
      'two underscores',
      viewYaml.replace('conv_rate', 'conv__rate'),
      5,
      17,
      '`conv__rate`. Expected',
      undefined,
    ],
    [
      'a tag that is a number',
      viewYaml + 'tags: {v: 1}\n',
      6,
      11,
      '`tags.v` is the number 1',
      'Put it in quotes: "1".',
    ],
    [
      'a source type there is not',
      driverYaml.replace('file', 'parquet'),
      7,
      7,
      'one of: file, duckdb, redshift, query',
      undefined,
    ],
    [
      'a missing key',
      driverYaml.replace('timestamp_field: event_timestamp\n', ''),
      5,
      1,
      '`timestamp_field` is missing',
      'Add `timestamp_field`',
    ],
    ['a key given twice', viewYaml + 'source: other\n', 6, 1, 'unique', 'Remove one'],
    ['a syntax error', viewYaml + '  - x: [\n', 6, 1, 'YAML:', undefined],
  ])('with %s', async (_, text, line, column, message, hint) => {
    const {problems} = await repo({'bad.yaml': text}).load()
    expect(problems[0]).toMatchObject({
      file: 'bad.yaml',
      line,
      column,
      message: expect.stringContaining(message),
      ...(hint === undefined ? {} : {hint: expect.stringContaining(hint)}),
    })
  })
})
