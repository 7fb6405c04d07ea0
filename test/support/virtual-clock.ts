import {setImmediate} from 'node:timers/promises'
import type {PacingClock} from '../../src/online/pacing/load-pacer.js'

/** Time that passes only when everybody waits for it. */
export class VirtualClock implements PacingClock {
  #now = 0
  #timers: {readonly at: number; readonly wake: () => void}[] = []

  now(): number {
    return this.#now
  }

  sleep(millis: number): Promise<void> {
    return new Promise((wake) => {
      const at = this.#now + Math.max(0, millis)
      // Sorted, the next one last.
      let place = this.#timers.length
      while (place > 0 && (this.#timers[place - 1]?.at ?? Infinity) <= at) place -= 1
      this.#timers.splice(place, 0, {at, wake})
    })
  }

  /** Lets time pass until then. */
  async runUntil(millis: number): Promise<void> {
    for (;;) {
      await setImmediate()
      const next = this.#timers.at(-1)
      if (next === undefined || next.at > millis) break
      this.#now = next.at
      while (this.#timers.at(-1)?.at === this.#now) this.#timers.pop()?.wake()
    }
    this.#now = millis
  }
}
