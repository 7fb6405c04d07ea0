import fc from 'fast-check'
import {
  collectDefinitions,
  type DataSource,
  type Definitions,
  type Documentation,
  type Entity,
  type FeatureService,
  type FeatureView,
  type Field,
  type JoinKey,
  type Projection,
} from '../../src/definitions/definition.js'

/** Definitions that refer only to what there is, from few names, so that any two sets of them overlap. */
export function arbitraryDefinitions(): fc.Arbitrary<Definitions> {
  return fc
    .record({
      entities: named(['driver', 'rider', 'zone'], arbitraryEntity),
      sources: named(['events', 'stats', 'daily'], arbitrarySource),
    })
    .chain(({entities, sources}) =>
      named(['v1', 'v2', 'v3', 'v4'], (name) =>
        arbitraryView(
          name,
          entities.map((one) => one.name),
          sources.map((one) => one.name),
        ),
      ).chain((views) =>
        fc
          .array(
            fc.constantFrom('s1', 's2').chain((name) => arbitraryService(name, views)),
            {maxLength: 2},
          )
          .map((services) => collectDefinitions([...entities, ...sources, ...views, ...distinct(services)])),
      ),
    )
}

function named<T extends {readonly name: string}>(
  names: readonly string[],
  arbitrary: (name: string) => fc.Arbitrary<T>,
): fc.Arbitrary<T[]> {
  return fc.subarray([...names], {minLength: 1}).chain((chosen) => fc.tuple<T[]>(...chosen.map(arbitrary)))
}

const documentation: fc.Arbitrary<Documentation> = fc.record(
  {
    description: fc.constantFrom('old', 'new'),
    owner: fc.constantFrom('ann', 'bob'),
    tags: fc.dictionary(fc.constantFrom('team', 'tier'), fc.constantFrom('a', 'b')),
  },
  {requiredKeys: []},
)

function arbitraryEntity(name: string): fc.Arbitrary<Entity> {
  const keys = shuffledSome([`${name}_id`, `${name}_region`], 1).chain((chosen) =>
    fc.tuple<JoinKey[]>(
      ...chosen.map((key) =>
        fc
          .constantFrom('int64' as const, 'string' as const)
          .map((valueType): JoinKey => ({name: key, valueType})),
      ),
    ),
  )
  return fc
    .tuple(keys, documentation)
    .map(([joinKeys, notes]) => ({kind: 'entity', name, joinKeys, ...notes}))
}

function arbitrarySource(name: string): fc.Arbitrary<DataSource> {
  const common = fc.record(
    {
      timestampField: fc.constantFrom('at', 'event_timestamp'),
      createdTimestampColumn: fc.constantFrom('created', 'loaded'),
      fieldMapping: fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('at', 'f1', 'created')),
    },
    {requiredKeys: ['timestampField']},
  )
  const kind = fc.oneof(
    fc.record({type: fc.constant('file' as const), path: fc.constantFrom('a.parquet', 'b.csv')}),
    fc.record({
      type: fc.constant('query' as const),
      query: fc.constantFrom('SELECT * FROM events', 'SELECT * FROM stats'),
    }),
    fc.record(
      {type: fc.constant('delta' as const), path: fc.constant('a'), version: fc.nat(3)},
      {requiredKeys: ['type', 'path']},
    ),
    fc.record(
      {
        type: fc.constant('iceberg' as const),
        path: fc.constant('a'),
        snapshotId: fc.constantFrom('9029287801649467144', '9029287801649467145'),
      },
      {requiredKeys: ['type', 'path']},
    ),
    fc.record(
      {
        type: fc.constant('glue' as const),
        database: fc.constant('lake'),
        table: fc.constantFrom('events', 'stats'),
        catalogId: fc.constant('123456789012'),
        roleArn: fc.constant('arn:aws:iam::123456789012:role/reader'),
      },
      {requiredKeys: ['type', 'database', 'table']},
    ),
  )
  return fc
    .tuple(kind, common, documentation)
    .map(([one, rest, notes]) => ({kind: 'data_source', name, ...one, ...rest, ...notes}))
}

function arbitraryView(
  name: string,
  entities: readonly string[],
  sources: readonly string[],
): fc.Arbitrary<FeatureView> {
  const schema = shuffledSome(['f1', 'f2', 'f3', 'f4'], 0).chain((names) =>
    fc.tuple<Field[]>(
      ...names.map((field) =>
        fc
          .tuple(fc.constantFrom('float64' as const, 'int64' as const, 'string' as const), documentation)
          .map(([valueType, notes]): Field => ({name: field, valueType, ...notes})),
      ),
    ),
  )
  const rest = fc.record(
    {
      entities: shuffledSome(entities, 1),
      source: fc.constantFrom(...sources),
      ttl: fc.constantFrom(3_600_000_000n, 86_400_000_000n),
      schema,
      online: fc.boolean(),
      lateness: fc.constantFrom(60_000_000n, 1n),
      knowledgeTime: fc.boolean(),
    },
    {requiredKeys: ['entities', 'source', 'schema', 'online', 'knowledgeTime']},
  )
  return fc
    .tuple(rest, documentation)
    .map(([view, notes]) => ({kind: 'feature_view', name, ...view, ...notes}))
}

function arbitraryService(name: string, views: readonly FeatureView[]): fc.Arbitrary<FeatureService> {
  const features = shuffledSome(
    views.map((view) => view.name),
    1,
  ).chain((chosen) =>
    fc.tuple<Projection[]>(
      ...chosen.map((view) =>
        fc
          .record(
            {
              features: shuffledSome(['f1', 'f2', 'f3'], 1).map((names) =>
                names.map((one) => (one === 'f1' ? {name: one, alias: 'first'} : {name: one})),
              ),
              joinKeyMap: fc.dictionary(fc.constantFrom('driver_id', 'rider_id'), fc.constantFrom('a', 'b')),
            },
            {requiredKeys: []},
          )
          .map((projection) => ({view, ...projection})),
      ),
    ),
  )
  return fc
    .tuple(features, documentation)
    .map(([chosen, notes]) => ({kind: 'feature_service', name, features: chosen, ...notes}))
}

function shuffledSome(values: readonly string[], minLength: number): fc.Arbitrary<string[]> {
  return fc.shuffledSubarray([...values], {minLength})
}

function distinct<T extends {readonly name: string}>(all: readonly T[]): readonly T[] {
  return [...new Map(all.map((one) => [one.name, one])).values()]
}
