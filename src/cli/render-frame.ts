import ansis from 'ansis'
import {valueAt, type ColumnBatch} from '../definitions/column-batch.js'
import {plainValue} from '../definitions/plain-value.js'
import type {RetrievalJob} from '../feature-store.js'
import type {Value, ValueType} from '../definitions/value-type.js'
import {formatRows} from './format-number.js'
import {fittingColumns, renderTable} from './render-table.js'
import {renderValue} from './render-value.js'

/** The first rows of a training frame, and how many there are. */
export function renderFrame(
  columns: RetrievalJob['columns'],
  batches: readonly ColumnBatch[],
  rowCount: number,
): string {
  const rows = batches.flatMap((batch) =>
    Array.from({length: batch.rowCount}, (_, row) =>
      batch.columns.map((column) => renderCell(column.type, valueAt(column, row))),
    ),
  )
  const names = columns.map((column) => column.name)
  const fitting = fittingColumns(names, rows)
  const table = renderTable(
    names.slice(0, fitting),
    rows.map((row) => row.slice(0, fitting)),
    {alignRight: columns.flatMap((column, index) => (isNumber(column.valueType) ? [index] : []))},
  )
  const left = [
    ...(rows.length < rowCount ? [formatRows(rows.length)] : []),
    ...(fitting < columns.length ? [`${fitting} columns`] : []),
  ]
  const shown = left.length === 0 ? '' : `, the first ${left.join(' and ')} shown`
  return `${table}\n${ansis.dim(`${formatRows(rowCount)} × ${columns.length} columns${shown}`)}`
}

function renderCell(type: ValueType, value: Value | null): string {
  return value === null ? ansis.dim('null') : renderValue(plainValue(value, type))
}

function isNumber(type: ValueType): boolean {
  return /^(int|float|decimal)/.test(type)
}
