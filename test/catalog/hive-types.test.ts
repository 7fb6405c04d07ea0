import {expect, test} from 'vitest'
import {duckDbTypeOfHive} from '../../src/compile/dialects/hive-types.js'

test.each([
  ['bigint', 'BIGINT'],
  ['varchar(20)', 'VARCHAR'],
  ['decimal(12, 3)', 'DECIMAL(12,3)'],
  ['decimal', 'DECIMAL(10,0)'],
  ['array<array<int>>', 'INTEGER[][]'],
  ['map<string,decimal(4,2)>', 'MAP(VARCHAR, DECIMAL(4,2))'],
  ['struct<a:int,b:array<struct<c:string>>>', 'STRUCT("a" INTEGER, "b" STRUCT("c" VARCHAR)[])'],
  ['timestamp with local time zone', 'TIMESTAMP WITH TIME ZONE'],
  ['uniontype<int,string>', undefined],
  ['array<interval>', undefined],
])('%s', (hive, native) => {
  expect(duckDbTypeOfHive(hive)).toBe(native)
})
