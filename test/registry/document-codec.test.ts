import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {formatSnapshot, parseSnapshot} from '../../src/registry/document-codec.js'
import type {RegistryDocument} from '../../src/registry/registry.js'
import {arbitraryDefinitions} from '../plan/arbitrary-definitions.js'
import {sampleDocument} from './sample-document.js'

describe('the text of a registry', () => {
  it('gives back any definitions', () => {
    fc.assert(
      fc.property(arbitraryDefinitions(), (definitions) => {
        expectBack({...sampleDocument(), definitions})
      }),
    )
  })

  it('gives back any instant to the microsecond, also those that no calendar has', () => {
    const instant = fc.oneof(
      fc.bigInt({min: -(2n ** 63n), max: 2n ** 63n - 1n}),
      fc.bigInt({min: -(10n ** 16n), max: 10n ** 16n}),
      fc.constantFrom(-62_135_596_800_000_000n, -62_135_596_800_000_001n, 253_402_300_800_000_000n, 0n, -1n),
    )
    fc.assert(
      fc.property(instant, instant, (start, end) => {
        expectBack({...sampleDocument(), views: {view: {table: 't', covered: [{start, end}]}}})
      }),
      {numRuns: 1000},
    )
  })

  it('gives back any name', () => {
    fc.assert(
      fc.property(fc.string({unit: 'grapheme'}), (name) => {
        const views = Object.fromEntries([[name, {table: name, covered: []}]])
        expectBack({...sampleDocument(name), views, pendingDrops: [name]})
      }),
    )
  })
})

function expectBack(document: RegistryDocument): void {
  const snapshot = {revision: 'r', document}
  expect(parseSnapshot(formatSnapshot(snapshot), 'registry.json', document.project)).toEqual(snapshot)
}
