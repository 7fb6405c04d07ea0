/** Failures that DuckDB raises within a statement, told as codes and facts. */
import {quoteText} from './dialects/duckdb-names.js'

/** An expression that fails the statement with a code and facts, which `parseRaised` reads back. */
export function raise(code: string, facts: readonly string[]): string {
  return `error(concat_ws(chr(31), '', ${[quoteText(code), ...facts].join(', ')}, ''))`
}

/** The code and facts of a failure that `raise` caused; `undefined` for any other. */
export function parseRaised(message: string): readonly string[] | undefined {
  const parts = message.split('\u001F')
  return parts.length < 3 ? undefined : parts.slice(1, -1)
}
