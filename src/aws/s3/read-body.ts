import {setTimeout as sleep} from 'node:timers/promises'

/** An answer of S3 whose headers are there and whose body is on its way. */
interface Answer {
  readonly Body?: unknown
}

const mostAttempts = 4
const firstPauseMillis = 200

/**
 * Asks for an object and lets `take` have its body; again, a few times, where the body breaks off or falls silent. Until
 * the headers are there the SDK itself asks again, and what it then throws, or `take` of its own, is final.
 */
export async function readBody<A extends Answer, T>(
  ask: () => Promise<A>,
  take: (body: AsyncIterable<Uint8Array>, answer: A) => Promise<T>,
  {signal}: {readonly signal?: AbortSignal} = {},
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask()
    let isBroken = false
    const body = watched(answer.Body as AsyncIterable<Uint8Array>, () => (isBroken = true))
    try {
      return await take(body, answer)
    } catch (error) {
      if (!isBroken || attempt === mostAttempts || signal?.aborted === true) throw error
    }
    // With jitter, for who reads many objects has many of them break off at once.
    await sleep((1 + Math.random()) * firstPauseMillis * 2 ** (attempt - 1), undefined, {signal})
  }
}

/** The same chunks. A failure is the body's own only when it comes from it, not when its reader gives up. */
async function* watched(
  body: AsyncIterable<Uint8Array>,
  onBroken: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body
  } catch (error) {
    onBroken()
    throw error
  }
}
