/** What a store keeps for all who use it, by what it is for. */
export interface SharedNotes {
  /** What runs that write tell each other. */
  readonly runs: SharedNote
  /** Which store it is: see `store-identity.ts`. */
  readonly identity: SharedNote
}

/**
 * A short text that all runs on a store share, and the clock they share. On a server they share it whatever their project;
 * an embedded store is one for each project.
 */
export interface SharedNote {
  /**
   * The text, undefined where there was never one, and the store's time in milliseconds since 1970. `signal`: ends the
   * patience with a store that does not answer, also in `replace`.
   */
  read(signal?: AbortSignal): Promise<{readonly text: string | undefined; readonly nowMillis: number}>
  /**
   * Replaces the text if it is `expected`, durably; false where it is not. Of several at once one succeeds. When it fails
   * it may have been replaced: the next read tells.
   */
  replace(expected: string | undefined, text: string, signal?: AbortSignal): Promise<boolean>
}
