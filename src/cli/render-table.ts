import ansis from 'ansis'
import stringWidth from 'string-width'

export interface TableOptions {
  /** Columns (by index) whose cells stand flush right: numbers. */
  readonly alignRight?: readonly number[]
  /** Characters in a line; the terminal's, and no limit elsewhere, by default. */
  readonly width?: number
}

const gap = 2
/** Characters. */
const longestMeasured = 1000

/**
 * Rows under a head, in columns as wide as their widest cell. What is too wide for a line is a block for each row
 * instead, with a line for each cell that has text.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  {alignRight = [], width = terminalWidth()}: TableOptions = {},
): string {
  const widths = columnWidths(head, rows)
  if (rows.length > 0 && fittingColumns(head, rows, width) < head.length) return renderBlocks(head, rows)
  const right = new Set(alignRight)
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => pad(cell, widths[column] ?? 0, right.has(column)))
      .join(' '.repeat(gap))
      .trimEnd()
  return [ansis.bold(line(head)), ...rows.map(line)].join('\n')
}

/** How many of the columns, from the first on, stand side by side in a line; never none. */
export function fittingColumns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number = terminalWidth(),
): number {
  let taken = -gap
  const tooMany = columnWidths(head, rows).findIndex((one) => (taken += one + gap) > width)
  return tooMany === -1 ? head.length : Math.max(1, tooMany)
}

function renderBlocks(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const width = Math.max(...head.map((title) => widthOf(title)))
  const blocks = rows.map((row) =>
    head
      .map((title, column) => [title, row[column] ?? ''] as const)
      .filter(([, cell]) => cell !== '')
      .map(([title, cell]) => `${ansis.bold(pad(title, width, false))}${' '.repeat(gap)}${cell}`)
      .join('\n'),
  )
  return blocks.join('\n\n')
}

function columnWidths(head: readonly string[], rows: readonly (readonly string[])[]): readonly number[] {
  return head.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ''))),
  )
}

function pad(cell: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(cell)))
  return right ? space + cell : cell + space
}

/** A long cell is in no column, and to measure it takes a time that grows with the square of its length. */
function widthOf(cell: string): number {
  return cell.length > longestMeasured ? cell.length : stringWidth(cell)
}

function terminalWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns : Infinity
}
