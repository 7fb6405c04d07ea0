/**
 * How many loads a table has seen, kept beside its rows and written after them. A store that came back with less than it had
 * acknowledged (an older backup, a crash between two snapshots, a replica that lagged) has an older number than the registry
 * knows of the last load: what a server makes durable or replicates, it does in the order in which it was written.
 */
import type {SharedNote} from './shared-note.js'

export interface LoadNumbers {
  /** Of the last load of a table; 0 where none was noted. Where servers hold parts of a table, the smallest of theirs. */
  last(table: string): Promise<number>
  /** Notes a load of that number on each server that holds a part of the table. A greater number stays. */
  note(table: string, number: number): Promise<void>
}

/** Notes one more load of a table, of which `known` loads are known to somebody; returns its number. */
export async function noteLoad(loads: LoadNumbers, table: string, known: number): Promise<number> {
  const next = Math.max(await loads.last(table), known) + 1
  await loads.note(table, next)
  return next
}

/** The numbers of a store that makes all of it durable together, each in a note. */
export class NotedLoads implements LoadNumbers {
  readonly #noteOf: (table: string) => SharedNote

  constructor(noteOf: (table: string) => SharedNote) {
    this.#noteOf = noteOf
  }

  async last(table: string): Promise<number> {
    return parseLoadNumber((await this.#noteOf(table).read()).text)
  }

  async note(table: string, number: number): Promise<void> {
    const note = this.#noteOf(table)
    for (;;) {
      const {text} = await note.read()
      if (parseLoadNumber(text) >= number || (await note.replace(text, String(number)))) return
    }
  }
}

export function parseLoadNumber(text: string | null | undefined): number {
  return Number(text ?? 0)
}
