import type {ColumnMetadata} from '@aws-sdk/client-redshift-data'

/** A column's type as this driver names types: the engine's, and for decimals their digits. */
export function nativeTypeOf({typeName = '', precision, scale}: ColumnMetadata): string {
  const name = typeName.toLowerCase()
  if (name !== 'numeric' && name !== 'decimal') return names[name] ?? name
  return `numeric(${precision ?? 38},${scale ?? 0})`
}

/** Other names that the Data API was seen to use. */
const names: Readonly<Record<string, string>> = {
  character_data: 'varchar',
  text: 'varchar',
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  real: 'float4',
  'double precision': 'float8',
  boolean: 'bool',
  character: 'bpchar',
}
