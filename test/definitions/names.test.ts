import {describe, expect, test} from 'vitest'
import {didYouMean, listNames} from '../../src/definitions/nearest-name.js'
import {parseValueType, typeParts} from '../../src/definitions/value-type.js'

describe('the name that was meant', () => {
  const names = ['conv_rate', 'acc_rate', 'Avg_Daily_Trips']
  test.each([
    ['conv_rat', 'conv_rate'],
    ['CONV_RATE', 'conv_rate'],
    ['avg_daily_trip', 'Avg_Daily_Trips'],
    ['conv', 'conv_rate'],
  ])('%s: %s', (given, meant) => expect(didYouMean(given, names)).toBe(`Did you mean \`${meant}\`?`))

  test.each(['distance', 'co', ''])('%j: none', (given) => expect(didYouMean(given, names)).toBeUndefined())

  test('there is none among no names, and long lists are cut', () => {
    expect(didYouMean('x', [])).toBeUndefined()
    expect(listNames(Array.from({length: 23}, (_, index) => `n${index}`))).toMatch(/n19 and 3 more$/)
  })
})

describe('a value type', () => {
  test.each([
    ['INT64', 'int64'],
    ['decimal( 10 , 2 )', 'decimal(10,2)'],
    ['list< Decimal(38,0) >', 'list<decimal(38,0)>'],
    ['json', 'json'],
  ])('%s is %s', (text, type) => expect(parseValueType(text)).toBe(type))

  test.each([
    'int',
    'decimal(39,0)',
    'decimal(0,0)',
    'decimal(2,3)',
    'list<list<int64>>',
    'list<json>',
    'list<>',
    '',
  ])('%j is none', (text) => expect(parseValueType(text)).toBeUndefined())

  test('comes apart', () => {
    expect([typeParts('decimal(10,2)'), typeParts('list<decimal(10,2)>'), typeParts('json')]).toEqual([
      {kind: 'decimal', precision: 10, scale: 2},
      {kind: 'list', element: 'decimal(10,2)'},
      {kind: 'scalar', name: 'json'},
    ])
  })
})
