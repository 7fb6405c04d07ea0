/**
 * The edge of the SDK: the machine's clock, variables and process, read here and nowhere else and passed in from
 * here, so that a test or a reproducible run can pass others.
 */
import {randomBytes} from 'node:crypto'
import type {Instant} from './definitions/instant.js'

export interface Environment {
  /** The machine's clock: for leases, and the times of runs. */
  readonly clock: () => Instant
  /** What `${VAR}` in feature_store.yaml means. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Of Node: three numbers. */
  readonly nodeVersion: string
  /** Unique names for runs that sort by time. */
  readonly newRunId: () => string
}

export const machineEnvironment: Environment = {
  clock: () => BigInt(Date.now()) * 1000n,
  variables: process.env,
  nodeVersion: process.versions.node,
  newRunId() {
    const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
    return `${time}-${randomBytes(3).toString('hex')}`
  },
}
