import {describe, expect, test} from 'vitest'
import type {DataSource} from '../../src/definitions/definition.js'
import {sourcesNamedIn} from '../../src/definitions/named-sources.js'

const sources = ['gd', 'note', 'Trips', 'odd "name"', 'ts'].map((name): DataSource => ({
  kind: 'data_source',
  name,
  type: 'file',
  path: 'x.parquet',
  timestampField: 'ts',
}))

describe('the sources that SQL names', () => {
  test.each([
    ["select uid, ts, v, 'gd' as note from gd -- trips", ['gd']],
    ['SELECT * FROM TRIPS t, note AS n WHERE t.ts > n.ts', ['note', 'Trips']],
    [
      'select * from gd join note using (ts) left join "odd ""name""" o on true',
      ['gd', 'note', 'odd "name"'],
    ],
    ['with x as (select ts from gd) select note, x.ts from x', ['gd']],
    ['select * from (gd join trips on true)', ['gd', 'Trips']],
    ['select * from (select ts, note from gd), lateral (select 1) l, trips', ['gd', 'Trips']],
    ['from gd select note', ['gd']],
    ['select ts from other.note, gd', ['gd']],
    ["select /* from note */ $$ from trips $$, ' from note' from gd", ['gd']],
    ['select ts, note from gd order by ts, note', ['gd']],
    ['select (select max(ts) from note), gd from trips union all select * from gd', ['gd', 'note', 'Trips']],
    ['pivot gd on note', ['gd']],
    ['select 1', []],
  ])('%s', (sql, named) => {
    expect(sourcesNamedIn(sql, sources).map(({name}) => name)).toEqual(named)
  })
})
