/**
 * Casts that never round: a value either is exactly a value of the declared type, or it doesn't fit and the caller says
 * what happens then. DuckDB's own casts round (1.5 to 2, '1.5' to 2, 2^53+1 to 2^53), so each is checked.
 */
import type {ExactCast} from '../dialect.js'
import {typeParts, type ScalarType, type ValueType} from '../../definitions/value-type.js'
import {alwaysFits, elementOf, nativeTypeOf} from './duckdb-types.js'

const isoInstant =
  '\\d{4}-\\d{2}-\\d{2}([T ]([01]\\d|2[0-3]):\\d{2}(:\\d{2}(\\.\\d{1,6})?)?\\s*(Z|[+-]\\d{2}(:?\\d{2})?)?)?'

/** Patterns of text that is exactly a value of the type. DuckDB also takes 0x10, 1_000 and 1e3 for integers. */
function textPattern(type: ScalarType): string | undefined {
  const parts = typeParts(type)
  if (parts.kind === 'decimal') return `\\s*[+-]?\\d+(\\.\\d{0,${parts.scale}}0*)?\\s*`
  switch (type) {
    case 'int32':
    case 'int64':
      return '\\s*[+-]?\\d+\\s*'
    case 'date':
      return '\\s*\\d{4}-\\d{2}-\\d{2}\\s*'
    default:
      return undefined
  }
}

/** `expression` has the native type; it is repeated, so it should be a column. */
export function castExactly(expression: string, native: string, type: ValueType): ExactCast {
  if (type === 'json') return castToJson(expression, native)
  const parts = typeParts(type)
  if (parts.kind === 'list') return castList(expression, native, parts.element)
  return castScalar(expression, native, type as ScalarType)
}

/** A timestamp, date or ISO text as TIMESTAMP in UTC, whole microseconds (nanoseconds are cut towards the past). */
export function castToInstant(expression: string, native: string): ExactCast {
  switch (native) {
    case 'TIMESTAMP':
      return {value: expression}
    case 'TIMESTAMP_S':
    case 'TIMESTAMP_MS':
    case 'DATE':
      return {value: `${expression}::TIMESTAMP`}
    case 'TIMESTAMP_NS': {
      // DuckDB's cast cuts towards 1970: https://duckdb.org/docs/stable/sql/data_types/timestamp
      const nanos = `epoch_ns(${expression})`
      return {value: `make_timestamp((${nanos} - ((${nanos} % 1000 + 1000) % 1000)) // 1000)`}
    }
    case 'TIMESTAMP WITH TIME ZONE':
      return {value: `make_timestamp(epoch_us(${expression}))`}
    case 'VARCHAR': {
      const text = `upper(trim(${expression}))`
      // DuckDB wants seconds before a zone, and no blank.
      const full = `regexp_replace(replace(${text}, ' Z', 'Z'), '^(.{10}[T ]\\d\\d:\\d\\d)(Z|[+-].*)$', '\\1:00\\2')`
      return checked(
        `CASE WHEN regexp_full_match(${text}, '${isoInstant}') THEN make_timestamp(epoch_us(TRY_CAST(${full} AS TIMESTAMPTZ))) END`,
        expression,
      )
    }
    default:
      return checked('NULL::TIMESTAMP', expression)
  }
}

function castScalar(expression: string, native: string, type: ScalarType): ExactCast {
  if (type === 'timestamp') return castToInstant(expression, native)
  const target = nativeTypeOf(type)
  if (native === 'VARCHAR' && type !== 'string') {
    // Text isn't bytes: DuckDB's cast reads \x escapes.
    if (type === 'bytes') return {value: `encode(${expression})`}
    const cast = `TRY_CAST(trim(${expression}) AS ${target})`
    const pattern = textPattern(type)
    if (pattern !== undefined)
      return checked(`CASE WHEN regexp_full_match(${expression}, '${pattern}') THEN ${cast} END`, expression)
    return checked(isFloat(type) ? finiteUnlessSaid(cast, expression) : cast, expression)
  }
  if (alwaysFits(native, type)) {
    return {value: native === target ? expression : `${expression}::${target}`}
  }
  const source = native === 'TIMESTAMP WITH TIME ZONE' ? castToInstant(expression, native).value : expression
  const back = native === 'TIMESTAMP WITH TIME ZONE' ? 'TIMESTAMP' : native
  const cast = `TRY_CAST(${source} AS ${target})`
  return checked(
    `CASE WHEN TRY_CAST(${cast} AS ${back}) IS NOT DISTINCT FROM ${source} THEN ${cast} END`,
    expression,
  )
}

function castToJson(expression: string, native: string): ExactCast {
  if (native === 'JSON') return {value: `${expression}::VARCHAR`}
  if (native === 'VARCHAR')
    return checked(`CASE WHEN json_valid(${expression}) THEN ${expression} END`, expression)
  return {value: `CASE WHEN ${expression} IS NOT NULL THEN to_json(${expression})::VARCHAR END`}
}

function castList(expression: string, native: string, element: ScalarType): ExactCast {
  const from = elementOf(native)
  const target = nativeTypeOf(`list<${element}>`)
  if (from === undefined) return checked(`NULL::${target}`, expression)
  if (native === target && element !== 'timestamp') return {value: expression}
  const list = native.endsWith('[]') ? expression : `${expression}::${from}[]`
  const cast = castScalar('e', from, element)
  const value = `list_transform(${list}, lambda e: ${cast.value})`
  if (cast.misfit === undefined) return {value}
  const misfit = `coalesce(len(list_filter(${list}, lambda e: ${cast.misfit})) > 0, false)`
  return {value: `CASE WHEN NOT ${misfit} THEN ${value} END`, misfit}
}

function checked(value: string, expression: string): ExactCast {
  return {value, misfit: `(${expression} IS NOT NULL AND (${value}) IS NULL)`}
}

function isFloat(type: ScalarType): boolean {
  return type === 'float32' || type === 'float64'
}

/** DuckDB reads 1e400 as infinity. */
function finiteUnlessSaid(cast: string, expression: string): string {
  return `CASE WHEN NOT isinf(${cast}) OR ${expression} ILIKE '%inf%' THEN ${cast} END`
}
