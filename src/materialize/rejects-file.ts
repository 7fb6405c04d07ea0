import {mkdir, open, type FileHandle} from 'node:fs/promises'
import {dirname} from 'node:path'
import {stringify} from 'lossless-json'

/** A row that was not written, and why. Values are as JSON holds them; a `bigint` becomes an exact integer literal. */
export interface Reject {
  readonly reason: string
  readonly view: string
  readonly key: Readonly<Record<string, unknown>>
  readonly event_timestamp: unknown
  readonly created_timestamp?: unknown
  readonly values: Readonly<Record<string, unknown>>
}

/** Rejected rows of one view in one run, as JSON lines. The file appears with the first of them. */
export class RejectsFile implements AsyncDisposable {
  readonly path: string
  #count = 0
  #file: Promise<FileHandle> | undefined
  #written: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.path = path
  }

  /** Rows kept so far. */
  get count(): number {
    return this.#count
  }

  /** Rows of calls that overlap are kept one after the other, each on its line. */
  add(rejects: readonly Reject[]): Promise<void> {
    if (rejects.length === 0) return this.#written
    this.#file ??= openForAppend(this.path)
    const file = this.#file
    const text = rejects.map((reject) => `${stringify(reject) ?? ''}\n`).join('')
    this.#written = this.#written.then(async () => (await file).appendFile(text))
    this.#count += rejects.length
    return this.#written
  }

  /** Makes what was kept durable. */
  async [Symbol.asyncDispose](): Promise<void> {
    const file = await this.#file
    this.#file = undefined
    try {
      await file?.sync()
    } finally {
      await file?.close()
    }
  }
}

async function openForAppend(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), {recursive: true})
  return open(path, 'a')
}
