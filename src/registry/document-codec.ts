/**
 * The JSON text of a registry, the same in every driver: readable, snake_case, instants as ISO text exact to the
 * microsecond.
 */
import {addressOf, collectDefinitions, listDefinitions, type Definition} from '../definitions/definition.js'
import {formatDefinition, parseDefinition, type PlainDefinition} from '../definitions/snake-case.js'
import {FeatureStoreError} from '../errors.js'
import {asList, asOptional, asRecord, asText, UnexpectedValue, withoutAbsent} from './document-values.js'
import type {RegistryDocument, RegistrySnapshot} from './registry.js'
import {formatRun, parseRun} from './run-codec.js'
import {formatViewState, parseViewState} from './view-state-codec.js'

const formatName = 'feature-repo registry'
const formatVersion = 1

/** The text of a registry; `parseSnapshot` gives it back exactly. */
export function formatSnapshot({revision, document}: RegistrySnapshot): string {
  const plain = {
    format: formatName,
    version: formatVersion,
    project: document.project,
    revision,
    definitions: listDefinitions(document.definitions).map(formatDefinition),
    views: Object.fromEntries(
      Object.entries(document.views).map(([name, state]) => [name, formatViewState(state)]),
    ),
    pending_drops: document.pendingDrops,
    reserved_tables: document.reservedTables,
    former_tables: document.formerTables,
    runs: document.runs.map(formatRun),
  }
  return `${JSON.stringify(plain, undefined, 2)}\n`
}

/**
 * Reads a registry of `project`. `place` is where the text was found, for messages. Text that is no registry, or one of
 * another release, is FS_REGISTRY_UNREADABLE; a registry of another project FS_REGISTRY_PROJECT_MISMATCH.
 */
export function parseSnapshot(text: string, place: string, project: string): RegistrySnapshot {
  let plain: unknown
  try {
    plain = JSON.parse(text)
  } catch (cause) {
    throw unreadable(place, 'it is not JSON', cause)
  }
  try {
    const top = asRecord(plain, '')
    if (top['format'] !== formatName) throw unreadable(place, `its \`format\` is not \`${formatName}\``)
    if (top['version'] !== formatVersion) {
      const found = JSON.stringify(top['version']) ?? 'missing'
      throw unreadable(
        place,
        `its format version is ${found}, and this release reads version ${formatVersion}`,
      )
    }
    const found = asText(top['project'], 'project')
    if (found !== project) throw mismatch(place, found, project)
    return {revision: asText(top['revision'], 'revision'), document: parseDocument(top, project)}
  } catch (error) {
    if (error instanceof UnexpectedValue) throw unreadable(place, error.message, error)
    throw error
  }
}

function parseDocument(top: Readonly<Record<string, unknown>>, project: string): RegistryDocument {
  const views = asRecord(top['views'], 'views')
  return withoutAbsent<RegistryDocument>({
    project,
    definitions: collectDefinitions(asList(top['definitions'], 'definitions', parseRegistered)),
    views: Object.fromEntries(
      Object.entries(views).map(([name, state]) => [name, parseViewState(state, `views.${name}`)]),
    ),
    pendingDrops: asList(top['pending_drops'], 'pending_drops', asText),
    reservedTables: asOptional(top['reserved_tables'], 'reserved_tables', (inner, at) =>
      asList(inner, at, asText),
    ),
    formerTables: asOptional(top['former_tables'], 'former_tables', (inner, at) => asList(inner, at, asText)),
    runs: asList(top['runs'], 'runs', parseRun),
  })
}

/**
 * A definition that this release understands whole: reading must not lose a key that another release wrote. A key that
 * only this release writes (a new default) is no loss.
 */
function parseRegistered(value: unknown, path: string): Definition {
  const plain = asRecord(value, path) as PlainDefinition
  let definition: Definition
  try {
    definition = parseDefinition(plain)
  } catch {
    throw new UnexpectedValue(path, 'a definition', value)
  }
  const lost = lostPath(plain, formatDefinition(definition))
  if (lost === undefined) return definition
  throw new UnexpectedValue(
    `${path} (${addressOf(definition)}), ${lost}`,
    'something this release knows',
    undefined,
  )
}

/** Where `kept` lacks something of `given`; undefined when it has it all. */
function lostPath(given: unknown, kept: unknown): string | undefined {
  if (typeof given !== 'object' || given === null) return given === kept ? undefined : ''
  if (typeof kept !== 'object' || kept === null) return ''
  for (const [key, inner] of Object.entries(given)) {
    const lost = lostPath(inner, (kept as Readonly<Record<string, unknown>>)[key])
    if (lost !== undefined) return lost === '' ? key : `${key}.${lost}`
  }
  return undefined
}

function unreadable(place: string, reason: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('FS_REGISTRY_UNREADABLE', `The registry ${place} can't be read: ${reason}.`, {
    hint: 'Put back a copy of the file, or use the release that wrote it.',
    cause,
  })
}

function mismatch(place: string, found: string, expected: string): FeatureStoreError {
  return new FeatureStoreError(
    'FS_REGISTRY_PROJECT_MISMATCH',
    `The registry ${place} belongs to project \`${found}\`, and feature_store.yaml says \`${expected}\`.`,
    {hint: 'Give each project a registry of its own, or set the project it was made for.'},
  )
}
