import {entity, featureView} from '../../src/definitions/builders.js'

export const definitions = [
  entity({name: 'rider', joinKeys: [{name: 'rider_id', valueType: 'string'}]}),
  featureView({
    name: 'rider_stats',
    entities: ['rider'],
    source: 'rides',
    schema: [{name: 'rating', valueType: 'float64'}],
  }),
]
