/** The one place that quotes an identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The one place that quotes text, for where the engine takes no parameter: paths, and messages of errors. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
