/** Definitions that the tests of this folder read: drivers, places, trips between two places. */
import {parseDefinition, type PlainDefinition} from '../../src/definitions/snake-case.js'
import {collectDefinitions} from '../../src/definitions/definition.js'

const documents: PlainDefinition[] = [
  {kind: 'entity', name: 'driver', join_keys: [{name: 'driver_id', value_type: 'int64'}]},
  {
    kind: 'entity',
    name: 'place',
    join_keys: [
      {name: 'country', value_type: 'string'},
      {name: 'zone', value_type: 'int32'},
    ],
  },
  {kind: 'entity', name: 'badge', join_keys: [{name: 'driver_id', value_type: 'string'}]},
  {
    kind: 'entity',
    name: 'shift',
    join_keys: [
      {name: 'day', value_type: 'date'},
      {name: 'night', value_type: 'bool'},
      {name: 'began', value_type: 'timestamp'},
      {name: 'token', value_type: 'bytes'},
    ],
  },
  {
    kind: 'data_source',
    name: 'driver_source',
    type: 'file',
    path: 'driver.csv',
    timestamp_field: 'event_timestamp',
    created_timestamp_column: 'created',
  },
  {
    kind: 'data_source',
    name: 'place_source',
    type: 'file',
    path: 'place.csv',
    timestamp_field: 'event_timestamp',
  },
  {
    kind: 'feature_view',
    name: 'driver_stats',
    entities: ['driver'],
    source: 'driver_source',
    ttl: '1d',
    schema: [
      {name: 'conv_rate', dtype: 'float64'},
      {name: 'trips', dtype: 'int64'},
    ],
  },
  {
    kind: 'feature_view',
    name: 'driver_profile',
    entities: ['driver'],
    source: 'driver_source',
    schema: [
      {name: 'Trips', dtype: 'int32'},
      {name: 'hired_at', dtype: 'timestamp'},
      {name: 'photo', dtype: 'bytes'},
      {name: 'scores', dtype: 'list<float64>'},
      {name: 'rating', dtype: 'decimal(9,2)'},
    ],
  },
  {
    kind: 'feature_view',
    name: 'weather',
    entities: ['place'],
    source: 'place_source',
    schema: [
      {name: 'heat', dtype: 'float64'},
      {name: 'wind', dtype: 'float64'},
    ],
  },
  {
    kind: 'feature_view',
    name: 'badges',
    entities: ['badge'],
    source: 'driver_source',
    schema: [{name: 'colour', dtype: 'string'}],
  },
  {
    kind: 'feature_view',
    name: 'shifts',
    entities: ['shift'],
    source: 'place_source',
    schema: [{name: 'hours', dtype: 'int32'}],
  },
  {
    kind: 'feature_view',
    name: 'pairs',
    entities: ['driver', 'place'],
    source: 'place_source',
    schema: [{name: 'zone_id', dtype: 'int64'}],
  },
  {
    kind: 'feature_view',
    name: 'history',
    entities: ['driver'],
    source: 'driver_source',
    online: false,
    knowledge_time: true,
    schema: [{name: 'past', dtype: 'float64'}],
  },
  {
    kind: 'feature_view',
    name: 'zones',
    entities: ['driver'],
    source: 'driver_source',
    schema: [{name: 'Zone', dtype: 'int32'}],
  },
  {
    kind: 'feature_service',
    name: 'trip',
    features: [
      {view: 'driver_stats', features: [{name: 'trips', alias: 'trip_count'}, 'conv_rate']},
      {
        view: 'weather',
        name: 'origin',
        features: [{name: 'heat', alias: 'heat_here'}],
        join_key_map: {zone: 'from_zone'},
      },
      {view: 'weather', name: 'target', features: ['heat'], join_key_map: {zone: 'to_zone'}},
    ],
  },
  {
    kind: 'feature_service',
    name: 'two_weathers',
    features: [
      {view: 'weather', name: 'origin', join_key_map: {zone: 'from_zone'}},
      {view: 'weather', name: 'target', join_key_map: {zone: 'to_zone'}},
    ],
  },
  {
    kind: 'feature_service',
    name: 'same_twice',
    features: [{view: 'weather'}, {view: 'weather', features: ['wind']}],
  },
  {kind: 'feature_service', name: 'broken_map', features: [{view: 'weather', join_key_map: {zome: 'a'}}]},
]

export const rides = collectDefinitions(documents.map(parseDefinition))
