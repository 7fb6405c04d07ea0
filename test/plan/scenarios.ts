import {noDefinitions, type Definitions} from '../../src/definitions/definition.js'
import {driver, rides, ridesWith, stats} from './rides.js'

/** Repos to go between, by what they do to the tables of `rides`. */
export const scenarios = {
  create: rides,
  alter: ridesWith([{...stats, schema: [...stats.schema, {name: 'rating', valueType: 'float32'}]}]),
  replace: ridesWith([{...driver, joinKeys: [{name: 'driver_id', valueType: 'string'}]}]),
  offline: ridesWith([{...stats, online: false}]),
  delete: noDefinitions,
} as const satisfies Record<string, Definitions>

export type ScenarioName = keyof typeof scenarios
