import {typeParts, type ParsedType, type ValueType} from './value-type.js'

/** How values of one type become values of another. */
export type Assignability = 'same' | 'widening' | 'checked' | 'no'

/**
 * `same`: the very same values. `widening`: every value fits, without loss. `checked`: value by value, and one that
 * does not fit exactly is refused, never rounded (text is read as the type says). `no`: it would change the meaning.
 */
export function assignability(from: ValueType, to: ValueType): Assignability {
  if (from === to) return 'same'
  const source = typeParts(from)
  const target = typeParts(to)
  if (source.kind === 'list' || target.kind === 'list') {
    return source.kind === 'list' && target.kind === 'list'
      ? assignability(source.element, target.element)
      : 'no'
  }
  const wanted = digitsOf(target)
  const given = digitsOf(source)
  if (given !== undefined && wanted !== undefined) return exactAssignability(given, wanted)
  if (isNumber(source) && isNumber(target)) return floatAssignability(from, to)
  return otherAssignability(from, target)
}

/** Digits of exact numbers before and after the point; `everyOf` tells whether all numbers of so many digits fit. */
interface Digits {
  readonly whole: number
  readonly fraction: number
  readonly everyOf: number
}

function digitsOf(type: ParsedType): Digits | undefined {
  if (type.kind === 'decimal') {
    const whole = type.precision - type.scale
    return {whole, fraction: type.scale, everyOf: whole}
  }
  // The largest int32 has ten digits and the largest int64 nineteen, but not every number of so many digits fits.
  if (type.kind === 'scalar' && type.name === 'int32') return {whole: 10, fraction: 0, everyOf: 9}
  if (type.kind === 'scalar' && type.name === 'int64') return {whole: 19, fraction: 0, everyOf: 18}
  return undefined
}

function exactAssignability(from: Digits, to: Digits): Assignability {
  return from.whole <= to.everyOf && from.fraction <= to.fraction ? 'widening' : 'checked'
}

function isNumber(type: ParsedType): boolean {
  return digitsOf(type) !== undefined || (type.kind === 'scalar' && type.name.startsWith('float'))
}

function floatAssignability(from: ValueType, to: ValueType): Assignability {
  return to === 'float64' && (from === 'float32' || from === 'int32') ? 'widening' : 'checked'
}

function otherAssignability(from: ValueType, to: ParsedType): Assignability {
  if (from === 'date') return to.kind === 'scalar' && to.name === 'timestamp' ? 'widening' : 'no'
  if (from === 'timestamp') return to.kind === 'scalar' && to.name === 'date' ? 'checked' : 'no'
  if (from === 'json') return to.kind === 'scalar' && to.name === 'string' ? 'widening' : 'no'
  // Text says nothing about how it would be bytes; everything else has one way of being written.
  if (from === 'string') return to.kind === 'scalar' && to.name === 'bytes' ? 'no' : 'checked'
  return 'no'
}
