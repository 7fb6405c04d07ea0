import ansis from 'ansis'
import stringWidth from 'string-width'

export interface TableOptions {
  /** Columns (by index) whose cells stand flush right: numbers. */
  readonly alignRight?: readonly number[]
}

/** Rows under a head, in columns as wide as their widest cell. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const right = new Set(options.alignRight)
  const widths = head.map((title, column) =>
    Math.max(stringWidth(title), ...rows.map((row) => stringWidth(row[column] ?? ''))),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const space = ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(cell)))
        return right.has(column) ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd()
  return [ansis.bold(line(head)), ...rows.map(line)].join('\n')
}
