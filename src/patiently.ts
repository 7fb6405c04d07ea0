import {setTimeout as sleep} from 'node:timers/promises'

const firstPauseMillis = 50
const longestPauseMillis = 2000

/**
 * Does work that may run twice again and again while what stops it may pass, for so many milliseconds. Throws the last
 * failure, or the reason of a signal that stops it. Waits with full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export async function patiently<T>(
  work: () => Promise<T>,
  {
    millis,
    mayPass,
    signal,
  }: {
    readonly millis: number
    readonly mayPass: (error: unknown) => boolean
    readonly signal?: AbortSignal | undefined
  },
): Promise<T> {
  const deadline = performance.now() + millis
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (!mayPass(error) || performance.now() >= deadline) throw error
    }
    const pause = Math.random() * Math.min(longestPauseMillis, firstPauseMillis * 2 ** attempt)
    await sleep(pause, undefined, {signal}).catch(() => undefined)
    signal?.throwIfAborted()
  }
}
