import {describe, expectTypeOf, test} from 'vitest'
import type {
  FeatureReferenceOf,
  FeatureServiceNameOf,
  HistoricalFeaturesOptions,
  OnlineFeaturesOptions,
  OnlineRowOf,
  UntypedRepo,
} from '../../src/definitions/typed-repo.js'
import type {Value} from '../../src/definitions/value-type.js'
import type {OnlineFeatures} from '../../src/retrieval/online-features.js'
import type * as repo from './features.js'
import type * as more from './more-features.js'

/** The signatures of `FeatureStore<Repo>`. */
interface Store<Repo = UntypedRepo> {
  getOnlineFeatures<const O extends OnlineFeaturesOptions<Repo>>(
    options: O,
  ): Promise<OnlineFeatures<OnlineRowOf<Repo, O>>>
  getHistoricalFeatures(options: HistoricalFeaturesOptions<Repo>): Promise<void>
}

declare const store: Store<typeof repo>
declare const untypedStore: Store
declare const wideStore: Store<typeof repo | typeof more>
declare const anyFlag: boolean

describe('names of a repo', () => {
  test('are its views, their features and its services', () => {
    expectTypeOf<'driver_stats:conv_rate'>().toExtend<FeatureReferenceOf<typeof repo>>()
    expectTypeOf<'driver_stats'>().toExtend<FeatureReferenceOf<typeof repo>>()
    expectTypeOf<'weather:conv_rate'>().not.toExtend<FeatureReferenceOf<typeof repo>>()
    expectTypeOf<'inferred:anything'>().toExtend<FeatureReferenceOf<typeof repo>>()
    expectTypeOf<FeatureServiceNameOf<typeof repo>>().toEqualTypeOf<'activity' | 'trip'>()
  })

  test('are checked in requests', () => {
    const entities = [{driver_id: 1n}]
    void store.getOnlineFeatures({features: ['driver_stats:conv_rate', 'driver_stats:trips'], entities})
    // @ts-expect-error -- the view has no such feature
    void store.getOnlineFeatures({features: ['driver_stats:conv_rat'], entities})
    // @ts-expect-error -- there is no such view
    void store.getOnlineFeatures({features: ['driver_stat'], entities})
    // @ts-expect-error -- there is no such service
    void store.getOnlineFeatures({featureService: 'activities', entities})
    // @ts-expect-error -- a service is no view
    void store.getOnlineFeatures({features: ['activity'], entities})
    // @ts-expect-error -- a key of another type
    void store.getOnlineFeatures({features: ['driver_stats'], entities: [{driver_id: true}]})
    void store.getHistoricalFeatures({features: ['weather:temperature'], entities: 'trips.parquet'})
    // @ts-expect-error -- the view has no such feature
    void store.getHistoricalFeatures({features: ['weather:heat'], entities: 'trips.parquet'})
    // @ts-expect-error -- there is no such service
    void store.getHistoricalFeatures({featureService: 'tripp', entities: 'trips.parquet'})
  })

  test('may come from several files, and from arrays', () => {
    expectTypeOf<'rider_stats:rating' | 'weather'>().toExtend<FeatureReferenceOf<typeof repo | typeof more>>()
    expectTypeOf<'rider_stats:ratings'>().not.toExtend<FeatureReferenceOf<typeof repo | typeof more>>()
  })
})

describe('rows', () => {
  test('hold the keys and the features asked for, by the types of the schema', async () => {
    const answer = await store.getOnlineFeatures({
      features: [
        'driver_stats:conv_rate',
        'driver_stats:trips',
        'driver_stats:recent',
        'weather:measured_at',
      ],
      entities: [{driver_id: 1n, country: 'FI', zone: 3}],
    })
    const [row] = answer.toRows()
    expectTypeOf(row!).toEqualTypeOf<{
      readonly driver_id: bigint
      readonly country: string
      readonly zone: number
      readonly conv_rate: number | null
      readonly trips: bigint | null
      readonly recent: readonly (bigint | null)[] | null
      readonly measured_at: bigint | null
    }>()
    // @ts-expect-error -- a feature that was not asked for
    expectTypeOf(row!.vehicle).toBeAny()
  })

  test('hold every feature of a view that is asked for whole', async () => {
    const answer = await store.getOnlineFeatures({features: ['driver_stats'], entities: [{driver_id: '1'}]})
    expectTypeOf(answer.toRows()).toEqualTypeOf<
      {
        readonly driver_id: bigint
        readonly conv_rate: number | null
        readonly trips: bigint | null
        readonly vehicle: string | null
        readonly active: boolean | null
        readonly recent: readonly (bigint | null)[] | null
        readonly photo: Uint8Array | null
      }[]
    >()
  })

  test('have full names when asked to', async () => {
    const answer = await store.getOnlineFeatures({
      features: ['driver_stats:trips', 'weather'],
      entities: [],
      fullFeatureNames: true,
    })
    expectTypeOf(answer.toRows()[0]!).toEqualTypeOf<{
      readonly driver_id: bigint
      readonly country: string
      readonly zone: number
      readonly driver_stats__trips: bigint | null
      readonly weather__temperature: number | null
      readonly weather__measured_at: bigint | null
    }>()
  })

  test('are untyped where full names are decided at run time', async () => {
    const answer = await store.getOnlineFeatures({
      features: ['weather'],
      entities: [],
      fullFeatureNames: anyFlag,
    })
    expectTypeOf(answer.toRows()).toEqualTypeOf<Readonly<Record<string, Value | null>>[]>()
  })

  test('may lack any feature of a list that is made at run time', async () => {
    const features = anyFlag ? (['driver_stats:trips'] as const) : (['weather:temperature'] as const)
    const list: ('driver_stats:trips' | 'weather:temperature')[] = [...features]
    const answer = await store.getOnlineFeatures({features: list, entities: []})
    expectTypeOf(answer.toRows()[0]!.trips).toEqualTypeOf<bigint | null | undefined>()
  })

  test('are one of several where the service is chosen at run time', async () => {
    const featureService = anyFlag ? 'activity' : 'trip'
    const [row] = (await store.getOnlineFeatures({featureService, entities: []})).toRows()
    expectTypeOf(row!.driver_id).toEqualTypeOf<bigint>()
    // @ts-expect-error -- only one of the services has it
    expectTypeOf(row!.cr).toBeAny()
  })

  test('follow a service of whole views', async () => {
    const answer = await store.getOnlineFeatures({featureService: 'activity', entities: [{driver_id: 1}]})
    const row = answer.toRows()[0]!
    expectTypeOf(row.conv_rate).toEqualTypeOf<number | null>()
    expectTypeOf(row.temperature).toEqualTypeOf<number | null>()
    expectTypeOf(row.zone).toEqualTypeOf<number>()
  })

  test('follow aliases, names and join-key maps of a service', async () => {
    const entities = [{driver_id: 1n, country: 'FI', origin_zone: 1, destination_zone: 2}]
    const full = await store.getOnlineFeatures({featureService: 'trip', entities, fullFeatureNames: true})
    expectTypeOf(full.toRows()[0]!).toEqualTypeOf<{
      readonly driver_id: bigint
      readonly country: string
      readonly origin_zone: number
      readonly destination_zone: number
      readonly driver_stats__cr: number | null
      readonly driver_stats__trips: bigint | null
      readonly origin__temperature: number | null
      readonly origin__measured_at: bigint | null
      readonly destination__heat: number | null
    }>()
    const short = await store.getOnlineFeatures({featureService: 'trip', entities})
    expectTypeOf(short.toRows()[0]!.cr).toEqualTypeOf<number | null>()
    expectTypeOf(short.toRows()[0]!.heat).toEqualTypeOf<number | null>()
  })

  test('hold any value where the schema is inferred', async () => {
    const answer = await store.getOnlineFeatures({features: ['inferred:speed'], entities: [{driver_id: 1n}]})
    expectTypeOf(answer.toRows()[0]!).toEqualTypeOf<{
      readonly driver_id: bigint
      readonly speed: Value | null
    }>()
  })

  test('may come from several files', async () => {
    const answer = await wideStore.getOnlineFeatures({
      features: ['rider_stats:rating', 'driver_stats:active'],
      entities: [{rider_id: 'r1', driver_id: 1n}],
    })
    expectTypeOf(answer.toRows()[0]!).toEqualTypeOf<{
      readonly rider_id: string
      readonly driver_id: bigint
      readonly rating: number | null
      readonly active: boolean | null
    }>()
  })

  test('without a repo are records of any values', async () => {
    const answer = await untypedStore.getOnlineFeatures({features: ['anything'], entities: [{id: null}]})
    expectTypeOf(answer.toRows()).toEqualTypeOf<Readonly<Record<string, Value | null>>[]>()
    expectTypeOf<OnlineRowOf<unknown, {features: ['a:b']}>>().toEqualTypeOf<
      Readonly<Record<string, Value | null>>
    >()
  })
})
