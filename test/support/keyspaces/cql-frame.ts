/**
 * Frames of the native protocol of Cassandra, version 4:
 * https://github.com/apache/cassandra/blob/trunk/doc/native_protocol_v4.spec
 */

export const opcodes = {
  error: 0x00,
  startup: 0x01,
  ready: 0x02,
  authenticate: 0x03,
  options: 0x05,
  query: 0x07,
  result: 0x08,
  prepare: 0x09,
  execute: 0x0a,
  batch: 0x0d,
  authChallenge: 0x0e,
  authResponse: 0x0f,
  authSuccess: 0x10,
} as const

export interface Frame {
  /** Without the bit that tells requests from responses. */
  readonly version: number
  readonly flags: number
  readonly stream: number
  readonly opcode: number
  readonly body: Buffer
  /** All of it, header included. */
  readonly bytes: Buffer
}

const headerLength = 9

/** Cuts what comes from a socket into frames. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0)

  /** The frames that the chunk completes. */
  push(chunk: Buffer): readonly Frame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: Frame[] = []
    while (this.#rest.length >= headerLength) {
      const end = headerLength + this.#rest.readInt32BE(5)
      if (this.#rest.length < end) break
      frames.push(readFrame(this.#rest.subarray(0, end)))
      this.#rest = this.#rest.subarray(end)
    }
    return frames
  }
}

function readFrame(bytes: Buffer): Frame {
  return {
    version: bytes.readUInt8(0) & 0x7f,
    flags: bytes.readUInt8(1),
    stream: bytes.readInt16BE(2),
    opcode: bytes.readUInt8(4),
    body: bytes.subarray(headerLength),
    bytes,
  }
}

/** A frame of the server of its own making. */
export function response(stream: number, opcode: number, ...body: readonly Buffer[]): Buffer {
  return frame(0x84, 0, stream, opcode, body)
}

/** The same frame with another body. */
export function withBody({bytes}: Frame, ...body: readonly Buffer[]): Buffer {
  return frame(bytes.readUInt8(0), bytes.readUInt8(1), bytes.readInt16BE(2), bytes.readUInt8(4), body)
}

function frame(
  version: number,
  flags: number,
  stream: number,
  opcode: number,
  body: readonly Buffer[],
): Buffer {
  const header = Buffer.alloc(headerLength)
  header.writeUInt8(version, 0)
  header.writeUInt8(flags, 1)
  header.writeInt16BE(stream, 2)
  header.writeUInt8(opcode, 4)
  header.writeInt32BE(
    body.reduce((sum, part) => sum + part.length, 0),
    5,
  )
  return Buffer.concat([header, ...body])
}

/** What goes with a statement when it runs. */
export interface QueryParameters {
  readonly consistency: number
  /** Where their flags stand in the body. */
  readonly flagsAt: number
  readonly values: readonly (Buffer | undefined)[]
  /** The write time that the client gives by itself, epoch microseconds. It is the last of the body. */
  readonly timestamp?: bigint
}

export const defaultTimestampFlag = 0x20

/** Of QUERY and EXECUTE; of BATCH the values stand with its statements. */
export function readParameters(reader: BodyReader): QueryParameters {
  const consistency = reader.short()
  const flagsAt = reader.at
  const flags = reader.byte()
  const values: (Buffer | undefined)[] = []
  if ((flags & 0x01) !== 0)
    for (let left = reader.short(); left > 0; left -= 1) {
      if ((flags & 0x40) !== 0) reader.string()
      values.push(reader.bytes())
    }
  if ((flags & 0x04) !== 0) reader.int()
  if ((flags & 0x08) !== 0) reader.bytes()
  if ((flags & 0x10) !== 0) reader.short()
  return {
    consistency,
    flagsAt,
    values,
    ...((flags & defaultTimestampFlag) === 0 ? {} : {timestamp: reader.long()}),
  }
}

/** Reads the notations of the protocol one after another. */
export class BodyReader {
  readonly #body: Buffer
  at: number

  constructor(body: Buffer, at = 0) {
    this.#body = body
    this.at = at
  }

  byte(): number {
    return this.#body.readUInt8(this.#skip(1))
  }

  short(): number {
    return this.#body.readUInt16BE(this.#skip(2))
  }

  int(): number {
    return this.#body.readInt32BE(this.#skip(4))
  }

  long(): bigint {
    return this.#body.readBigInt64BE(this.#skip(8))
  }

  string(): string {
    return this.#take(this.short()).toString()
  }

  longString(): string {
    return this.#take(this.int()).toString()
  }

  shortBytes(): Buffer {
    return this.#take(this.short())
  }

  /** Null, or a value that is not set: undefined. */
  bytes(): Buffer | undefined {
    const length = this.int()
    return length < 0 ? undefined : this.#take(length)
  }

  #take(length: number): Buffer {
    const start = this.#skip(length)
    return this.#body.subarray(start, this.at)
  }

  #skip(length: number): number {
    const start = this.at
    this.at += length
    return start
  }
}

export function short(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function string(text: string): Buffer {
  return Buffer.concat([short(Buffer.byteLength(text)), Buffer.from(text)])
}

export function longString(text: string): Buffer {
  return Buffer.concat([int(Buffer.byteLength(text)), Buffer.from(text)])
}

export function bytes(value: Buffer | undefined): Buffer {
  return value === undefined ? int(-1) : Buffer.concat([int(value.length), value])
}
