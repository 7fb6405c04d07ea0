import {BodyReader, bytes, int, type Frame} from './cql-frame.js'

const kinds = {rows: 2, prepared: 4, schemaChange: 5} as const

/** What a RESULT is about; undefined where it is a plain acknowledgement or the like. */
export function resultKind(frame: Frame): keyof typeof kinds | undefined {
  const kind = readerOf(frame).int()
  return (Object.keys(kinds) as (keyof typeof kinds)[]).find((name) => kinds[name] === kind)
}

/** The id of a statement that was prepared, as hex. */
export function preparedId(frame: Frame): string {
  const reader = readerOf(frame)
  reader.int()
  return reader.shortBytes().toString('hex')
}

/** The body of a frame of rows with other values; a row for which undefined comes back is left out. */
export function mapRows(
  frame: Frame,
  change: (
    row: ReadonlyMap<string, Buffer | undefined>,
  ) => ReadonlyMap<string, Buffer | undefined> | undefined,
): Buffer {
  const reader = readerOf(frame)
  reader.int()
  const columns = readColumns(reader)
  const head = frame.body.subarray(0, reader.at)
  const rows: Buffer[] = []
  const count = reader.int()
  let kept = 0
  for (let index = 0; index < count; index += 1) {
    const row = change(new Map(columns.map((name) => [name, reader.bytes()])))
    if (row === undefined) continue
    kept += 1
    for (const name of columns) rows.push(bytes(row.get(name)))
  }
  return Buffer.concat([head, int(kept), ...rows])
}

/** Stands behind what the flags of a frame put before its body: a trace, warnings, a payload. */
function readerOf({flags, body}: Frame): BodyReader {
  const reader = new BodyReader(body, (flags & 0x02) === 0 ? 0 : 16)
  if ((flags & 0x08) !== 0) for (let left = reader.short(); left > 0; left -= 1) reader.string()
  if ((flags & 0x04) !== 0)
    for (let left = reader.short(); left > 0; left -= 1) {
      reader.string()
      reader.bytes()
    }
  return reader
}

function readColumns(reader: BodyReader): readonly string[] {
  const flags = reader.int()
  const count = reader.int()
  if ((flags & 0x02) !== 0) reader.bytes()
  if ((flags & 0x04) !== 0) throw new Error('rows without their columns are not understood here')
  const isOfOneTable = (flags & 0x01) !== 0
  const readTable = (): void => {
    reader.string()
    reader.string()
  }
  if (isOfOneTable) readTable()
  return Array.from({length: count}, () => {
    if (!isOfOneTable) readTable()
    const name = reader.string()
    skipType(reader)
    return name
  })
}

function skipType(reader: BodyReader): void {
  const skipTypes = (count: number): void => {
    for (let left = count; left > 0; left -= 1) skipType(reader)
  }
  switch (reader.short()) {
    case 0x0000: // custom
      reader.string()
      return
    case 0x0020: // list
    case 0x0022: // set
      return skipTypes(1)
    case 0x0021: // map
      return skipTypes(2)
    case 0x0031: // tuple
      return skipTypes(reader.short())
    case 0x0030: // user-defined
      reader.string()
      reader.string()
      for (let left = reader.short(); left > 0; left -= 1) {
        reader.string()
        skipType(reader)
      }
      return
    default:
      return
  }
}
