/**
 * How many loads a table has seen, kept in its store and written after its rows. A store that came back with less than it had
 * acknowledged (an older backup, a crash between two snapshots, a replica that lagged) has an older number than the registry
 * knows of the last load: what a server makes durable or replicates, it does in the order in which it was written.
 */
import type {SharedNote} from './shared-note.js'

export interface LoadNumbers {
  /** Of the last load of a table; 0 where none was noted. Where servers hold parts of a table, the smallest of theirs. */
  last(table: string, signal?: AbortSignal): Promise<number>
  /**
   * Notes one more load, with each server that holds a part of the table, and returns its number: greater than any before.
   * Undefined where a server has a smaller number than `known`: it went back.
   */
  next(table: string, known: number, signal?: AbortSignal): Promise<number | undefined>
}

/** The numbers of a store that makes all of it durable together, each in a note. */
export class NotedLoads implements LoadNumbers {
  readonly #noteOf: (table: string) => SharedNote

  constructor(noteOf: (table: string) => SharedNote) {
    this.#noteOf = noteOf
  }

  async last(table: string, signal?: AbortSignal): Promise<number> {
    return Number((await this.#noteOf(table).read(signal)).text ?? 0)
  }

  async next(table: string, known: number, signal?: AbortSignal): Promise<number | undefined> {
    const note = this.#noteOf(table)
    for (;;) {
      const {text} = await note.read(signal)
      const last = Number(text ?? 0)
      if (last < known) return undefined
      if (await note.replace(text, String(last + 1), signal)) return last + 1
    }
  }
}
