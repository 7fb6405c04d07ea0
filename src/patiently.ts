import {setTimeout as sleep} from 'node:timers/promises'

const firstPauseMillis = 50
const longestPauseMillis = 2000

/**
 * Does work that may run twice again and again while what stops it may pass, for so many milliseconds. Throws the last
 * failure. Waits with full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export async function patiently<T>(
  work: () => Promise<T>,
  {millis, mayPass}: {readonly millis: number; readonly mayPass: (error: unknown) => boolean},
): Promise<T> {
  const deadline = performance.now() + millis
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (!mayPass(error) || performance.now() >= deadline) throw error
    }
    await sleep(Math.random() * Math.min(longestPauseMillis, firstPauseMillis * 2 ** attempt))
  }
}
