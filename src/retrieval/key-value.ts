import {parseDay} from '../definitions/day.js'
import {parseInstant} from '../definitions/instant.js'
import type {KeyType, Value} from '../definitions/value-type.js'

/**
 * A join key as callers give it, as the value that its type has; `undefined` where it is none of that type. Text is
 * read as the type says (a command line has nothing else; bytes are base64). A number is taken for an integer where it
 * is one exactly. A `Date` is an instant. Never rounds.
 */
export function readKeyValue(given: unknown, type: KeyType): Value | undefined {
  switch (type) {
    case 'string':
      return typeof given === 'string' ? given : undefined
    case 'int64':
      return readInteger(given)
    case 'int32': {
      const integer = readInteger(given)
      return integer !== undefined && BigInt.asIntN(32, integer) === integer ? Number(integer) : undefined
    }
    case 'bool':
      if (typeof given === 'boolean') return given
      return given === 'true' ? true : given === 'false' ? false : undefined
    case 'timestamp':
      return readInstantValue(given)
    case 'date':
      return typeof given === 'string' && parseDay(given) !== undefined ? given : undefined
    case 'bytes':
      if (given instanceof Uint8Array) return given
      return typeof given === 'string' ? readBase64(given) : undefined
    default:
      return type satisfies never
  }
}

/** An instant as callers give it: microseconds since 1970, ISO text or a `Date`; `undefined` for anything else. */
export function readInstantValue(given: unknown): bigint | undefined {
  if (typeof given === 'bigint') return BigInt.asIntN(64, given) === given ? given : undefined
  if (typeof given === 'string') return parseInstant(given)
  if (!(given instanceof Date) || Number.isNaN(given.getTime())) return undefined
  return BigInt(given.getTime()) * 1000n
}

/** What a caller gave, for a message: with quotes when it is text, and never longer than a line. */
export function showGiven(given: unknown): string {
  if (given === null) return 'null'
  if (given instanceof Date || given instanceof Uint8Array) return `a ${given.constructor.name}`
  switch (typeof given) {
    case 'string':
      return given.length > 60 ? `"${given.slice(0, 60)}…"` : `"${given}"`
    case 'bigint':
      return `${given}n`
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(given)
    default:
      return Array.isArray(given) ? 'a list' : typeof given === 'object' ? 'an object' : `a ${typeof given}`
  }
}

function readInteger(given: unknown): bigint | undefined {
  // A number beyond 2^53 may have been rounded before it came here.
  if (typeof given === 'number') return Number.isSafeInteger(given) ? BigInt(given) : undefined
  const integer =
    typeof given === 'bigint'
      ? given
      : typeof given === 'string' && /^[+-]?\d{1,20}$/.test(given)
        ? BigInt(given.replace('+', ''))
        : undefined
  return integer !== undefined && BigInt.asIntN(64, integer) === integer ? integer : undefined
}

function readBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? Uint8Array.from(bytes) : undefined
}
