import {randomUUID} from 'node:crypto'

/** A connection that keeps its temporary tables and its transaction from one statement to the next. */
class Session {
  id = randomUUID()
  isBusy = false
  #client
  #timer
  #close

  constructor(origin, keepAliveSeconds, close) {
    this.origin = {...origin, SessionId: this.id}
    this.keepAliveSeconds = keepAliveSeconds
    this.#close = close
  }

  /** Opened by the first statement. */
  async client(connect) {
    this.#client ??= await connect(this.origin.Database)
    return this.#client
  }

  begin() {
    this.isBusy = true
    clearTimeout(this.#timer)
  }

  /** From here on it is kept for so long, unless it is used again. */
  end() {
    this.isBusy = false
    this.#timer = setTimeout(() => {
      this.#close(this.id)
      this.#client?.end().catch(() => undefined)
    }, this.keepAliveSeconds * 1000)
    this.#timer.unref()
  }
}

/** The sessions that are kept, by id. */
export class Sessions {
  #open = new Map()

  get size() {
    return this.#open.size
  }

  /** @returns {Session | undefined} */
  get(id) {
    return this.#open.get(id)
  }

  /**
   * @param {object} origin Where it runs.
   * @param {number} keepAliveSeconds After the end of a statement.
   */
  create(origin, keepAliveSeconds) {
    const session = new Session(origin, keepAliveSeconds, (id) => this.#open.delete(id))
    this.#open.set(session.id, session)
    return session
  }
}
