/**
 * Which store it is. A random text that the store keeps tells it from any other, wherever it is reached: addresses and
 * paths change, and the same address may be another server tomorrow.
 */
import {randomUUID} from 'node:crypto'
import type {OnlineStore} from './online-store.js'

/** Undefined where nothing gave it one yet. */
export async function storeIdentity({notes}: Pick<OnlineStore, 'notes'>): Promise<string | undefined> {
  return (await notes.identity.read()).text
}

/**
 * The identity of a store that was opened to write and prepared. `known`: what it was said to be before, for a store that
 * lost no more than that.
 */
export async function giveStoreIdentity(
  store: Pick<OnlineStore, 'notes'>,
  known: string = randomUUID(),
): Promise<string> {
  for (;;) {
    const given = await storeIdentity(store)
    if (given !== undefined) return given
    // Of several at once one succeeds; all then read the same.
    await store.notes.identity.replace(undefined, known)
  }
}
