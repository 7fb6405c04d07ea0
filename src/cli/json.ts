import {stringify} from 'lossless-json'

/** JSON text, indented; `bigint` becomes an exact integer literal, which `JSON.stringify` refuses. */
export function stringifyJson(value: unknown): string {
  return stringify(value, undefined, 2) ?? 'null'
}
