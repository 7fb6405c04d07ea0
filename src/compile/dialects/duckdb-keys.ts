import type {KeyType, Value} from '../../definitions/value-type.js'
import type {SqlValues} from '../sql-values.js'

/** A value of a key. Text goes as bytes: it may hold what a statement can't. */
export function keyConstant(value: Value, type: KeyType, values: SqlValues): string {
  switch (type) {
    case 'bool':
      return value === true ? 'true' : 'false'
    case 'int32':
    case 'int64':
      return values.integer(BigInt(value as number | bigint))
    case 'timestamp':
      return `make_timestamp(${values.integer(value as bigint)})`
    case 'date':
      return `CAST('${value as string}' AS DATE)`
    case 'string':
      return `decode(from_hex('${Buffer.from(value as string).toString('hex')}'))`
    case 'bytes':
      return `from_hex('${Buffer.from(value as Uint8Array).toString('hex')}')`
    default:
      return type satisfies never
  }
}
