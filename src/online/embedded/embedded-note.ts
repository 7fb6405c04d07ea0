import type {SharedNote} from '../shared-note.js'
import type {Environment} from './open-environment.js'

/** A note under a key of the environment, replaced in a transaction; its clock is the machine's. */
export class EmbeddedNote implements SharedNote {
  readonly #key: Buffer
  readonly #readable: () => Environment | undefined
  readonly #writable: () => Environment

  /** `readable`: undefined while there is no environment yet; both throw when it is closed. `writable` throws where nothing may be written. */
  constructor(key: Buffer, readable: () => Environment | undefined, writable: () => Environment) {
    this.#key = key
    this.#readable = readable
    this.#writable = writable
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as the interface wants it
  async read(): Promise<{readonly text: string | undefined; readonly nowMillis: number}> {
    return {text: this.#text(), nowMillis: performance.timeOrigin + performance.now()}
  }

  async replace(expected: string | undefined, text: string): Promise<boolean> {
    const environment = this.#writable()
    const isReplaced = await environment.transaction(() => {
      if (this.#text() !== expected) return false
      environment.putSync(this.#key, Buffer.from(text))
      return true
    })
    await environment.flushed
    return isReplaced
  }

  #text(): string | undefined {
    const environment = this.#readable()
    environment?.resetReadTxn()
    return environment?.getBinary(this.#key)?.toString()
  }
}
