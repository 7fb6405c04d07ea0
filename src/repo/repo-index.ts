import {didYouMean, listNames} from '../definitions/nearest-name.js'
import type {DataSource, Definition, DefinitionKind, Entity, FeatureView} from '../definitions/definition.js'
import type {LoadedDefinition, RepoContents} from './repo-contents.js'

type OfKind<K extends DefinitionKind> = Extract<Definition, {readonly kind: K}>

/** The definitions of a repo by kind and name; of two with one name, the first. */
export class RepoIndex {
  readonly #contents: RepoContents
  readonly #byAddress = new Map<string, LoadedDefinition>()

  constructor(contents: RepoContents) {
    this.#contents = contents
    for (const loaded of contents.definitions) {
      const address = addressIn(loaded.definition.kind, loaded.definition.name)
      if (!this.#byAddress.has(address)) this.#byAddress.set(address, loaded)
    }
  }

  list<K extends DefinitionKind>(kind: K): readonly LoadedDefinition<OfKind<K>>[] {
    return this.#contents.definitions.filter(
      (one): one is LoadedDefinition<OfKind<K>> => one.definition.kind === kind,
    )
  }

  find<K extends DefinitionKind>(kind: K, name: string): OfKind<K> | undefined {
    return this.#byAddress.get(addressIn(kind, name))?.definition as OfKind<K> | undefined
  }

  /** Whether nothing of this name can exist; false while a file or the definition itself can't be read. */
  isUnknown(kind: DefinitionKind, name: string): boolean {
    if (this.find(kind, name) !== undefined || this.#contents.incomplete) return false
    return !this.#contents.malformed.some((one) => one.kind === kind && one.name === name)
  }

  /** How to mend a reference to what is not there. */
  suggest(kind: DefinitionKind, name: string): string {
    const known = this.list(kind).map(({definition}) => definition.name)
    return (
      didYouMean(name, known) ??
      `Define it, or use one of: ${listNames(known.toSorted()) || '(none is defined yet)'}.`
    )
  }

  sources(): readonly DataSource[] {
    return this.list('data_source').map(({definition}) => definition)
  }

  /** The join keys of a view with their entities; undefined when one of its entities is not known. */
  joinKeys(
    view: FeatureView,
  ): readonly (Entity['joinKeys'][number] & {readonly entity: string})[] | undefined {
    const entities = view.entities.map((name) => this.find('entity', name))
    if (entities.includes(undefined)) return undefined
    return (entities as readonly Entity[]).flatMap(({name, joinKeys}) =>
      joinKeys.map((key) => ({...key, entity: name})),
    )
  }
}

function addressIn(kind: DefinitionKind, name: string): string {
  return `${kind}/${name}`
}
