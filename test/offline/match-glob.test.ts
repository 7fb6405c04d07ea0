import {expect, test} from 'vitest'
import {fixedPrefix, matchGlob} from '../../src/offline/duckdb/s3/match-glob.js'

test.each([
  ['a/*.parquet', 'a/b.parquet', true],
  ['a/*.parquet', 'a/b/c.parquet', false],
  ['a/**/*.parquet', 'a/b.parquet', true],
  ['a/**/*.parquet', 'a/b/c/d.parquet', true],
  ['a/**', 'a/b/c.csv', true],
  ['a/?.csv', 'a/b.csv', true],
  ['a/?.csv', 'a/.csv', false],
  ['a/[ab].csv', 'a/a.csv', true],
  ['a/[!ab].csv', 'a/a.csv', false],
  ['a/[0-9].csv', 'a/7.csv', true],
  ['a/[*].csv', 'a/*.csv', true],
  ['a/[*].csv', 'a/b.csv', false],
  ['a.b/*', 'aXb/c', false],
  ['day=*/x.csv', 'day=2026-01-01/x.csv', true],
])('%s on %s', (pattern, key, fits) => {
  expect(matchGlob(pattern, key)).toBe(fits)
  expect(!fits || key.startsWith(fixedPrefix(pattern))).toBe(true)
})
