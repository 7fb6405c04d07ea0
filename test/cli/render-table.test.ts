import ansis from 'ansis'
import {describe, expect, test} from 'vitest'
import {fittingColumns, renderTable} from '../../src/cli/render-table.js'
import {renderValue} from '../../src/cli/render-value.js'

const render = (...args: Parameters<typeof renderTable>): string => ansis.strip(renderTable(...args))

describe('a table', () => {
  const head = ['', 'VIEW', 'ROWS']
  const rows = [
    ['✓', 'driver_hourly_stats', '1,681'],
    ['✗', 'データ', '5'],
  ]

  test('stands in columns, wide characters and numbers included', () => {
    expect(render(head, rows, {alignRight: [2]}).split('\n')).toEqual([
      '   VIEW                  ROWS',
      '✓  driver_hourly_stats  1,681',
      '✗  データ                   5',
    ])
  })

  test('that is too wide for a line is a block for each row', () => {
    expect(render(head, rows, {width: 28}).split('\n')).toEqual([
      '      ✓',
      'VIEW  driver_hourly_stats',
      'ROWS  1,681',
      '',
      '      ✗',
      'VIEW  データ',
      'ROWS  5',
    ])
    expect(render(head, rows, {width: 29})).toContain('✓  driver')
  })

  test('says how many of its columns fit', () => {
    expect([10, 22, 28, 29, 200].map((width) => fittingColumns(head, rows, width))).toEqual([1, 2, 2, 3, 3])
  })
})

test('a cell of a million characters is no matter of minutes', () => {
  const long = 'é'.repeat(1_000_000)
  expect(renderTable(['NAME', 'VALUE'], [['a', long]], {width: 80})).toContain(long)
  expect(renderTable(['NAME', 'VALUE'], [['a', long]])).toContain(long)
})

test('a value stays in its line', () => {
  expect(renderValue('two\nlines\tand \u001b[31m')).toBe('two\\nlines\\tand \\u001b[31m')
  expect(renderValue([1n, null, 'a'])).toBe('[1, null, a]')
})
