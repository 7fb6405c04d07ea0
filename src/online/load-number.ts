/**
 * How many loads a table has seen, kept beside its rows and written after them. A store that came back with less than it had
 * acknowledged (an older backup, a crash between two snapshots) has an older number than the registry knows of the last
 * load: what a store makes durable it does in the order in which it was written.
 */
import type {OnlineStore} from './online-store.js'

/** 0 where none was noted. */
export async function lastLoadOf({notes}: Pick<OnlineStore, 'notes'>, table: string): Promise<number> {
  return parse((await notes.loadOf(table).read()).text)
}

/** Notes one more load of a table, of which `known` loads are known to somebody; returns its number. */
export async function noteLoad(
  {notes}: Pick<OnlineStore, 'notes'>,
  table: string,
  known: number,
): Promise<number> {
  const note = notes.loadOf(table)
  for (;;) {
    const {text} = await note.read()
    // Never back: of two runs that may both believe to have the view each notes a number of its own.
    const next = Math.max(parse(text), known) + 1
    if (await note.replace(text, String(next))) return next
  }
}

function parse(text: string | undefined): number {
  return text === undefined ? 0 : Number(text)
}
