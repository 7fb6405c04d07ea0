/**
 * The closed set of value types, their text form in YAML and TypeScript, and what their values are in JavaScript.
 */

export type ScalarType =
  | 'string'
  | 'bytes'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'float32'
  | 'float64'
  | `decimal(${number},${number})`
  | 'timestamp'
  | 'date'

/** `json` holds JSON text; `list<T>` may hold null elements. */
export type ValueType = ScalarType | 'json' | `list<${ScalarType}>`

/** Types an entity's join key may have: those with one exact equality on every engine. */
export type KeyType = 'string' | 'bytes' | 'bool' | 'int32' | 'int64' | 'timestamp' | 'date'

export const keyTypes: readonly KeyType[] = ['string', 'bytes', 'bool', 'int32', 'int64', 'timestamp', 'date']

/**
 * A value in JavaScript: `int64` and `timestamp` (epoch microseconds, UTC) are `bigint`; `decimal`, `json` and `date`
 * (`YYYY-MM-DD`) are text; `bytes` is `Uint8Array`; the other numbers are `number`.
 */
export type Value = string | number | bigint | boolean | Uint8Array | readonly (Value | null)[]

/** The JavaScript type of a value type, for the typed SDK. */
export type JsTypeOf<T extends ValueType> = T extends `list<${infer E extends ScalarType}>`
  ? readonly (JsTypeOf<E> | null)[]
  : T extends 'int64' | 'timestamp'
    ? bigint
    : T extends 'int32' | 'float32' | 'float64'
      ? number
      : T extends 'bool'
        ? boolean
        : T extends 'bytes'
          ? Uint8Array
          : string

/** A value type taken apart. */
export type ParsedType =
  | {readonly kind: 'scalar'; readonly name: Exclude<ScalarType, `decimal(${number},${number})`> | 'json'}
  | {readonly kind: 'decimal'; readonly precision: number; readonly scale: number}
  | {readonly kind: 'list'; readonly element: ScalarType}

const simpleTypes: ReadonlySet<string> = new Set([
  'string',
  'bytes',
  'bool',
  'int32',
  'int64',
  'float32',
  'float64',
  'timestamp',
  'date',
])

/** All names to show where a type was expected. */
export const valueTypeNames = [...simpleTypes, 'decimal(p,s)', 'json', 'list<T>'].join(', ')

/**
 * Reads a type as the user wrote it (case and spaces do not matter) into its canonical text, or `undefined` when it is
 * none. Decimals have a precision of 1 to 38 and a scale of 0 to the precision.
 */
export function parseValueType(text: string): ValueType | undefined {
  const compact = text.replaceAll(/\s+/g, '').toLowerCase()
  if (compact === 'json') return 'json'
  const list = /^list<(.+)>$/.exec(compact)
  if (list !== null) {
    const element = parseScalar(list[1] ?? '')
    return element === undefined ? undefined : `list<${element}>`
  }
  return parseScalar(compact)
}

/** Takes a canonical type apart, so that a `switch` over it can be exhaustive. */
export function typeParts(type: ValueType): ParsedType {
  const decimal = /^decimal\((\d+),(\d+)\)$/.exec(type)
  if (decimal !== null) return {kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2])}
  if (type.startsWith('list<')) return {kind: 'list', element: type.slice(5, -1) as ScalarType}
  return {kind: 'scalar', name: type as Extract<ParsedType, {kind: 'scalar'}>['name']}
}

function parseScalar(compact: string): ScalarType | undefined {
  if (simpleTypes.has(compact)) return compact as ScalarType
  const decimal = /^decimal\((\d{1,2}),(\d{1,2})\)$/.exec(compact)
  if (decimal === null) return undefined
  const precision = Number(decimal[1])
  const scale = Number(decimal[2])
  if (precision < 1 || precision > 38 || scale > precision) return undefined
  return `decimal(${precision},${scale})`
}
