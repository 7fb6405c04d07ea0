const grouped = new Intl.NumberFormat('en-US')

/** 1,234,567 */
export function formatCount(count: number): string {
  return grouped.format(count)
}

/** `1,234 rows`, `1 row`. */
export function formatRows(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'row' : 'rows'}`
}
