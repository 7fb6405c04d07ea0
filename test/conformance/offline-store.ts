/** What every offline store promises; a store passes when `describeOfflineStore` passes on it, unchanged. */
import {afterEach, beforeEach, describe, it} from 'vitest'
import {describeEntityRows} from './offline/entity-rows.js'
import type {OfflineStoreFixture, OfflineSuite} from './offline/fixture.js'
import {describeRandomFrames} from './offline/random-frames.js'
import {describeSnapshots} from './offline/snapshots.js'
import {describeValues} from './offline/values.js'

export type {OfflineStoreFixture} from './offline/fixture.js'

export interface OfflineStoreSuiteOptions {
  /** By title of a test: why the store can't pass it. A gap that passes fails, so that it is taken off this list. */
  readonly knownGaps?: Readonly<Record<string, string>>
  /** Random cases for each property; fewer for a store that takes seconds to answer. */
  readonly runs?: number
}

export function describeOfflineStore(
  name: string,
  open: () => Promise<OfflineStoreFixture>,
  {knownGaps = {}, runs = 60}: OfflineStoreSuiteOptions = {},
): void {
  describe(`${name} is an offline store`, () => {
    let fixture: OfflineStoreFixture
    beforeEach(async () => {
      fixture = await open()
    })
    afterEach(() => fixture[Symbol.asyncDispose]())

    const unknown = new Set(Object.keys(knownGaps))
    const contract: OfflineSuite['contract'] = (title, body) => {
      const gap = knownGaps[title]
      unknown.delete(title)
      if (gap === undefined) it(title, () => body(fixture))
      else it.fails(`${title} (known gap: ${gap})`, () => body(fixture))
    }
    const suite: OfflineSuite = {contract, runs}
    describe('random data', () => describeRandomFrames(suite))
    describe('values', () => describeValues(suite))
    describe('snapshots', () => describeSnapshots(suite))
    describe('entity rows', () => describeEntityRows(suite))
    if (unknown.size > 0) throw new Error(`Gaps of tests that don't exist: ${[...unknown].join('; ')}`)
  })
}
