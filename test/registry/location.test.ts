import {expect, test} from 'vitest'
import {schemeOf, shownLocation} from '../../src/registry/location.js'

test.each([
  ['data/registry.json', undefined, 'data/registry.json'],
  ['postgres://features@db:5432/features', 'postgres', 'postgres://features@db:5432/features'],
  ['postgres://features:secret@db/features', 'postgres', 'postgres://features@db/features'],
  ['POSTGRES://features:secret@db/features', 'postgres', 'POSTGRES://features@db/features'],
  [
    'postgres://u:s@e:c/r@et@db/features?sslmode=require',
    'postgres',
    'postgres://u@db/features?sslmode=require',
  ],
  [
    'postgres://u@db/f?password=secret&sslmode=require',
    'postgres',
    'postgres://u@db/f?password=…&sslmode=require',
  ],
])('%s', (location, scheme, shown) => {
  expect(schemeOf(location)).toBe(scheme)
  expect(shownLocation(location)).toBe(shown)
})
