import {describe, expect, test} from 'vitest'
import {noDefinitions} from '../../src/definitions/definition.js'
import {
  resolveFeatures,
  selectionKey,
  type FeatureSelection,
  type ResolvedFeature,
} from '../../src/retrieval/resolve-features.js'
import {rides} from './rides.js'

/** `projection:feature as name`, in the order asked for. */
function resolved(selection: FeatureSelection): readonly string[] {
  const {projections, order} = resolveFeatures(rides, selection)
  return order.map((place) => {
    const projection = projections[place.projection]!
    const {feature, as} = projection.features[place.feature] as ResolvedFeature
    return `${projection.name}:${feature} as ${as}`
  })
}

describe('a selection', () => {
  test.each<[string, FeatureSelection, readonly string[]]>([
    ['one feature', {features: ['driver_stats:trips']}, ['driver_stats:trips as trips']],
    [
      'a whole view, in the order of its schema',
      {features: ['driver_stats']},
      ['driver_stats:conv_rate as conv_rate', 'driver_stats:trips as trips'],
    ],
    [
      'features of two views in turn, in the order asked for',
      {features: ['driver_stats:trips', 'weather:heat', 'driver_stats:conv_rate']},
      ['driver_stats:trips as trips', 'weather:heat as heat', 'driver_stats:conv_rate as conv_rate'],
    ],
    [
      'full names',
      {features: ['driver_stats:trips', 'driver_profile:Trips'], fullFeatureNames: true},
      ['driver_stats:trips as driver_stats__trips', 'driver_profile:Trips as driver_profile__Trips'],
    ],
    [
      'a service with aliases and a view under two names',
      {featureService: 'trip'},
      [
        'driver_stats:trips as trip_count',
        'driver_stats:conv_rate as conv_rate',
        'origin:heat as heat_here',
        'target:heat as heat',
      ],
    ],
    [
      'full names of a service: of the projections, with their aliases',
      {featureService: 'trip', fullFeatureNames: true},
      [
        'driver_stats:trips as driver_stats__trip_count',
        'driver_stats:conv_rate as driver_stats__conv_rate',
        'origin:heat as origin__heat_here',
        'target:heat as target__heat',
      ],
    ],
  ])('resolves %s', (_, selection, expected) => {
    expect(resolved(selection)).toEqual(expected)
  })

  test('reads a view once, however often it is named', () => {
    const {projections} = resolveFeatures(rides, {
      features: ['driver_stats:trips', 'weather', 'driver_stats:conv_rate'],
    })
    expect(projections.map(({name}) => name)).toEqual(['driver_stats', 'weather'])
  })

  test('maps join keys to the columns that a service says', () => {
    const {projections} = resolveFeatures(rides, {featureService: 'trip'})
    expect(projections.map(({keys}) => keys.map(({joinKey, column}) => `${joinKey.name}=${column}`))).toEqual(
      [['driver_id=driver_id'], ['country=country', 'zone=from_zone'], ['country=country', 'zone=to_zone']],
    )
  })

  test.each<[string, FeatureSelection, string, RegExp, RegExp]>([
    ['nothing', {}, 'FS_ARGUMENT_INVALID', /No features are asked for/, /view:feature/],
    [
      'both',
      {features: ['weather'], featureService: 'trip'},
      'FS_ARGUMENT_INVALID',
      /both asked for/,
      /one feature service/,
    ],
    ['an empty list', {features: []}, 'FS_ARGUMENT_INVALID', /the list is empty/, /features: \[/],
    [
      'text instead of a list',
      {features: 'weather' as unknown as string[]},
      'FS_ARGUMENT_INVALID',
      /got string/,
      /features: \[/,
    ],
    [
      'a number in the list',
      {features: [7 as unknown as string]},
      'FS_ARGUMENT_INVALID',
      /one of them is a number/,
      /features: \[/,
    ],
    ['two colons', {features: ['a:b:c']}, 'FS_ARGUMENT_INVALID', /`a:b:c` names no feature/, /for example/],
    ['no view', {features: [':b']}, 'FS_ARGUMENT_INVALID', /`:b` names no feature/, /for example/],
    ['no feature', {features: ['a:']}, 'FS_ARGUMENT_INVALID', /`a:` names no feature/, /for example/],
    [
      'a mistyped view',
      {features: ['driver_stat:trips']},
      'FS_REFERENCE_UNKNOWN',
      /no feature view `driver_stat`\. Did you mean `driver_stats`\? Feature views: badges, /,
      /fs apply/,
    ],
    [
      'a view in another case',
      {features: ['Weather']},
      'FS_REFERENCE_UNKNOWN',
      /no feature view `Weather`\. Did you mean `weather`\?/,
      /registered/,
    ],
    [
      'a service among features',
      {features: ['trip']},
      'FS_REFERENCE_UNKNOWN',
      /no feature view `trip`/,
      /`trip` is a feature service: ask for it with --feature-service/,
    ],
    [
      'a mistyped feature',
      {features: ['driver_stats:conv_rat']},
      'FS_REFERENCE_UNKNOWN',
      /`driver_stats` has no feature `conv_rat`\. Did you mean `conv_rate`\? Its features: conv_rate, trips\./,
      /fs apply/,
    ],
    [
      'a join key as a feature',
      {features: ['driver_stats:driver_id']},
      'FS_REFERENCE_UNKNOWN',
      /no feature `driver_id`/,
      /join key: it comes with every answer/,
    ],
    [
      'a mistyped service',
      {featureService: 'trips'},
      'FS_REFERENCE_UNKNOWN',
      /no feature service `trips`\. Did you mean `trip`\? Feature services: /,
      /fs apply/,
    ],
    [
      'a view as a service',
      {featureService: 'weather'},
      'FS_REFERENCE_UNKNOWN',
      /no feature service `weather`/,
      /feature view: ask for it with --features/,
    ],
    [
      'a map of a key that is none',
      {featureService: 'broken_map'},
      'FS_REFERENCE_UNKNOWN',
      /no join key `zome` to map\. Did you mean `zone`\?/,
      /join_key_map/,
    ],
    [
      'a feature twice',
      {features: ['driver_stats:trips', 'driver_stats:trips']},
      'FS_ARGUMENT_INVALID',
      /`driver_stats:trips` is asked for twice\./,
      /once/,
    ],
    [
      'a feature and then its whole view',
      {features: ['driver_stats:trips', 'driver_stats']},
      'FS_ARGUMENT_INVALID',
      /asked for twice: `driver_stats` means all features/,
      /once/,
    ],
    [
      'two features of one name, in any case',
      {features: ['driver_stats:trips', 'driver_profile:Trips']},
      'FS_REFERENCE_AMBIGUOUS',
      /named `Trips`: `driver_stats:trips` and `driver_profile:Trips`/,
      /--full-feature-names \(SDK: `fullFeatureNames: true`\)\.$/,
    ],
    [
      'a view twice in a service without aliases',
      {featureService: 'two_weathers'},
      'FS_REFERENCE_AMBIGUOUS',
      /named `heat`: `origin:heat` and `target:heat`/,
      /or give one of them an alias in feature_service\/two_weathers\.$/,
    ],
    [
      'a view twice under one name, with full names',
      {featureService: 'same_twice', fullFeatureNames: true},
      'FS_REFERENCE_AMBIGUOUS',
      /named `weather__wind`/,
      /^Give one of them an alias in feature_service\/same_twice, or its view another name there\.$/,
    ],
    [
      'a feature with the name of a join key',
      {features: ['weather:heat', 'zones:Zone']},
      'FS_REFERENCE_AMBIGUOUS',
      /named `Zone`: join key `zone` of view `weather` and `zones:Zone`/,
      /full feature names/,
    ],
  ])('refuses %s', (_, selection, code, message, hint) => {
    expect(() => resolveFeatures(rides, selection)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    )
  })

  test('of a project that has nothing yet says so', () => {
    expect(() => resolveFeatures(noDefinitions, {features: ['a']})).toThrow(/none is registered/)
    expect(() => resolveFeatures(noDefinitions, {featureService: 'a'})).toThrow(/none is registered/)
  })
})

test('the key of a selection tells different ones apart', () => {
  const keys = [
    selectionKey({features: ['a:b', 'c']}),
    selectionKey({features: ['a:b\nc']}),
    selectionKey({features: ['c', 'a:b']}),
    selectionKey({features: ['a:b', 'c'], fullFeatureNames: true}),
    selectionKey({featureService: 'c'}),
    selectionKey({featureService: 'c', fullFeatureNames: true}),
  ]
  expect(new Set(keys).size).toBe(keys.length)
  expect(selectionKey({features: ['a'], fullFeatureNames: false})).toBe(selectionKey({features: ['a']}))
})
