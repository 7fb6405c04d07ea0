/** A repo in TypeScript, as users write it: what it exports is what the type tests read. */
import {entity, featureService, featureView, fileSource} from '../../src/definitions/builders.js'

export const driver = entity({name: 'driver', joinKeys: [{name: 'driver_id', valueType: 'int64'}]})
export const place = entity({
  name: 'place',
  joinKeys: [
    {name: 'country', valueType: 'string'},
    {name: 'zone', valueType: 'int32'},
  ],
})

const source = fileSource({name: 'rides', path: 'data/rides.parquet', timestampField: 'event_timestamp'})

export const stats = featureView({
  name: 'driver_stats',
  entities: [driver],
  source,
  ttl: '1d',
  schema: [
    {name: 'conv_rate', valueType: 'float64'},
    {name: 'trips', valueType: 'int64'},
    {name: 'vehicle', valueType: 'string'},
    {name: 'active', valueType: 'bool'},
    {name: 'recent', valueType: 'list<int64>'},
    {name: 'photo', valueType: 'bytes'},
  ],
})

export const weather = featureView({
  name: 'weather',
  entities: [place],
  source,
  schema: [
    {name: 'temperature', valueType: 'float32'},
    {name: 'measured_at', valueType: 'timestamp'},
  ],
})

/** Its features are inferred from the source, so any name may be one. */
export const inferred = featureView({name: 'inferred', entities: ['driver'], source: 'rides'})

export const activity = featureService({name: 'activity', features: [stats, 'weather']})

export const trip = featureService({
  name: 'trip',
  features: [
    {view: stats, features: [{name: 'conv_rate', alias: 'cr'}, {name: 'trips'}]},
    {view: weather, name: 'origin', joinKeyMap: {zone: 'origin_zone'}},
    {
      view: 'weather',
      name: 'destination',
      features: [{name: 'temperature', alias: 'heat'}],
      joinKeyMap: {zone: 'destination_zone'},
    },
  ],
})

/** Files export other things too. */
export const conversionRate = (done: number, asked: number): number => done / asked
export const limits = {trips: 5}
