import type {RoleBelow} from '../../../definitions/definition.js'

/** What is needed of a session of the engine. */
export interface EngineSession {
  run(sql: string): Promise<number>
  /** What was found out once holds for the whole session. */
  once<T>(name: string, find: () => Promise<T>): Promise<T>
  onClose(close: () => void): void
}

export interface NamedPath {
  /** Of the source, as definitions have it: for messages. */
  readonly name: string
  readonly path: string
  /** As whom it is read; absent: as whoever the environment says. */
  readonly role?: RoleBelow
}
