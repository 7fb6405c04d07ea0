/** Columns and values as the Redshift Data API says them. */

/** Types of PostgreSQL by their oid, as Redshift names them; precision and scale where the type itself decides. */
const types = {
  16: {typeName: 'bool', precision: 1},
  17: {typeName: 'varbyte', precision: 0},
  20: {typeName: 'int8', precision: 19, isSigned: true},
  21: {typeName: 'int2', precision: 5, isSigned: true},
  23: {typeName: 'int4', precision: 10, isSigned: true},
  25: {typeName: 'varchar', precision: 65535},
  700: {typeName: 'float4', precision: 8, scale: 8, isSigned: true},
  701: {typeName: 'float8', precision: 17, scale: 17, isSigned: true},
  705: {typeName: 'varchar', precision: 65535},
  19: {typeName: 'varchar', precision: 128},
  1042: {typeName: 'bpchar', precision: 1},
  1043: {typeName: 'varchar', precision: 65535},
  1082: {typeName: 'date', precision: 13},
  1083: {typeName: 'time', precision: 15, scale: 6},
  1114: {typeName: 'timestamp', precision: 29, scale: 6},
  1184: {typeName: 'timestamptz', precision: 35, scale: 6},
  1700: {typeName: 'numeric', precision: 38, isSigned: true},
  3802: {typeName: 'super', precision: 0},
}

/** What jsonb prints after colons and commas, and Redshift does not; texts are matched to be left as they are. */
const jsonBlanks = /("(?:[^"\\]|\\.)*")|([:,]) /g

/** PostgreSQL adds this to what is said between parentheses. */
const typmodOffset = 4

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {string} typeName
 * @property {number} precision Digits, or for texts the length.
 * @property {number} scale
 * @property {boolean} isSigned
 * @property {boolean} isBare A numeric whose digits PostgreSQL does not know.
 * @property {0 | 1} nullable
 */

/**
 * @param {readonly {name: string, dataTypeID: number, dataTypeModifier: number, tableID: number, columnID: number}[]} fields Of pg.
 * @param {(tableId: number, columnId: number) => boolean} isNotNull
 * @returns {Column[]}
 */
export function columnsOf(fields, isNotNull = () => false) {
  return fields.map(({name, dataTypeID, dataTypeModifier, tableID, columnID}) => {
    const type = types[dataTypeID]
    if (type === undefined)
      throw new Error(`column "${name}" has a type that Redshift lacks (oid ${dataTypeID})`)
    const isLong = dataTypeModifier >= typmodOffset
    const bits = dataTypeModifier - typmodOffset
    const size = !isLong
      ? {}
      : dataTypeID === 1700
        ? {precision: (bits >> 16) & 0xffff, scale: bits & 0xffff}
        : dataTypeID === 1042 || dataTypeID === 1043
          ? {precision: bits}
          : {}
    return {
      name,
      ...{isSigned: false, scale: 0, ...type, ...size},
      isBare: dataTypeID === 1700 && !isLong,
      nullable: tableID > 0 && isNotNull(tableID, columnID) ? 0 : 1,
    }
  })
}

/** @param {Column} column */
export function metadataOf({name, typeName, precision, scale, isSigned, nullable}) {
  return {
    isCaseSensitive: typeName === 'varchar' || typeName === 'bpchar',
    isCurrency: false,
    isSigned,
    label: name,
    length: 0,
    name,
    nullable,
    precision,
    scale,
    schemaName: '',
    tableName: '',
    typeName,
  }
}

/**
 * The JSON of a value. Whole numbers have all their digits in it, which clients that read them as floats lose.
 *
 * @param {string | null} text As PostgreSQL prints it.
 * @param {Column} column
 */
export function fieldJson(text, {typeName}) {
  if (text === null) return '{"isNull":true}'
  switch (typeName) {
    case 'int2':
    case 'int4':
    case 'int8':
      return `{"longValue":${text}}`
    case 'float4':
    case 'float8':
      return `{"doubleValue":${Number.isFinite(Number(text)) ? Number(text) : JSON.stringify(text)}}`
    case 'bool':
      return `{"booleanValue":${text === 't'}}`
    case 'varbyte':
      return JSON.stringify({blobValue: Buffer.from(text.slice(2), 'hex').toString('base64')})
    case 'super':
      return JSON.stringify({stringValue: text.replaceAll(jsonBlanks, '$1$2')})
    case 'timestamp':
      return JSON.stringify({stringValue: text.includes('.') ? text : `${text}.0`})
    default:
      return JSON.stringify({stringValue: text})
  }
}
