import {describe, expect, test} from 'vitest'
import {parseEntityArguments} from '../../src/cli/entity-argument.js'

describe('--entity', () => {
  test('is one row each, its values as text', () => {
    expect(
      parseEntityArguments(['id=1', 'id=2,name=a,b=c', '{"id": 9007199254740993, "name": null, "ok": true}']),
    ).toEqual([{id: '1'}, {id: '2', name: 'a', b: 'c'}, {id: '9007199254740993', name: null, ok: 'true'}])
  })

  test('a comma that begins no other key is part of the value, and so is a second =', () => {
    expect(parseEntityArguments(['city=Rome, Italy', 'expr=a=b'])).toEqual([
      {city: 'Rome, Italy'},
      {expr: 'a=b'},
    ])
  })

  test.each(['id', '=1', '{"id": [1]}', '{"id": ', '{"id": {"a": 1}}'])('%s is refused', (arg) => {
    expect(() => parseEntityArguments([arg])).toThrow(
      expect.objectContaining({code: 'FS_ARGUMENT_INVALID', message: expect.stringContaining(arg) as string}),
    )
  })

  test('a key that is given twice in one row is refused', () => {
    expect(() => parseEntityArguments(['id=1,id=2'])).toThrow(/`id` is given twice/)
  })
})
