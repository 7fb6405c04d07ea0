import type {Path} from '../config/check-schema.js'
import type {Definition, DefinitionKind} from '../definitions/definition.js'
import type {Problem, SourcePosition} from '../errors.js'

/** A definition and the place of each of its parts. Paths are those of the YAML form. */
export interface LoadedDefinition<D extends Definition = Definition> {
  readonly definition: D
  readonly locate: (path: Path, at?: 'key' | 'value') => SourcePosition
}

/** All that the files of a repo define, before names are resolved and sources are looked at. */
export interface RepoContents {
  readonly definitions: readonly LoadedDefinition[]
  /** Definitions that are malformed: known by name, so that references to them are not called unknown. */
  readonly malformed: readonly {readonly kind: DefinitionKind; readonly name: string}[]
  /** Whether a file could not be read to its end: then nothing is known to be missing. */
  readonly incomplete: boolean
  /** What is wrong so far. */
  readonly problems: readonly Problem[]
}
