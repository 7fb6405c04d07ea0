import {describe, expect, test} from 'vitest'
import {assignability, type Assignability} from '../../src/definitions/type-compatibility.js'
import type {ValueType} from '../../src/definitions/value-type.js'

describe('assignability', () => {
  test.each<[ValueType, ValueType, Assignability]>([
    ['int64', 'int64', 'same'],
    ['list<int32>', 'list<int32>', 'same'],
    ['int32', 'int64', 'widening'],
    ['int32', 'float64', 'widening'],
    ['float32', 'float64', 'widening'],
    ['date', 'timestamp', 'widening'],
    ['json', 'string', 'widening'],
    ['int64', 'decimal(19,0)', 'widening'],
    ['int64', 'decimal(20,2)', 'checked'],
    ['decimal(9,0)', 'int32', 'widening'],
    ['decimal(10,0)', 'int32', 'checked'],
    ['decimal(10,2)', 'decimal(12,3)', 'widening'],
    ['decimal(10,2)', 'decimal(10,3)', 'checked'],
    ['list<int32>', 'list<int64>', 'widening'],
    ['int64', 'int32', 'checked'],
    ['int64', 'float64', 'checked'],
    ['int32', 'float32', 'checked'],
    ['float64', 'float32', 'checked'],
    ['float64', 'int64', 'checked'],
    ['float64', 'decimal(10,2)', 'checked'],
    ['decimal(10,2)', 'float64', 'checked'],
    ['timestamp', 'date', 'checked'],
    ['string', 'timestamp', 'checked'],
    ['string', 'int64', 'checked'],
    ['string', 'json', 'checked'],
    ['string', 'bytes', 'no'],
    ['bytes', 'string', 'no'],
    ['int64', 'string', 'no'],
    ['int64', 'bool', 'no'],
    ['bool', 'int64', 'no'],
    ['int64', 'timestamp', 'no'],
    ['date', 'int32', 'no'],
    ['list<int64>', 'int64', 'no'],
    ['int64', 'list<int64>', 'no'],
    ['string', 'list<string>', 'no'],
    ['list<string>', 'json', 'no'],
  ])('of %s to %s is %s', (from, to, expected) => {
    expect(assignability(from, to)).toBe(expected)
  })
})
