/** Why a store did not take a request for now. */
export type RefusalCause = 'timeout' | 'overloaded' | 'unavailable' | 'connection'

/** A store did not take a request for now, or did not say whether it did: sent again it does no harm. */
export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal'
  readonly refusal: RefusalCause

  constructor(refusal: RefusalCause, cause: Error) {
    super(cause.message, {cause})
    this.refusal = refusal
  }
}

/** Decides when the requests of a load are sent, and sends those again that the store refuses for now. */
export interface WritePacer {
  /**
   * Waits until a request that carries so many rows may be sent, and counts it as in flight. Undefined where that is at
   * once: waiting for a promise would cost more than the request.
   */
  admit(rows: number): Promise<void> | undefined
  /**
   * Sends a request that was admitted, again and again while it throws `StoreRefusal`, for as long as the pacer's
   * patience lasts; then it throws what the last refusal was caused by. Anything else that it throws ends it at once.
   */
  send<T>(rows: number, request: () => Promise<T>): Promise<T>

  /** Asks the store what must be known before a request: again and again like `send`, but not paced, for it writes nothing. */
  ask<T>(question: () => Promise<T>): Promise<T>
}
