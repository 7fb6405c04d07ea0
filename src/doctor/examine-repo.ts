/** What `fs doctor` finds in a repo and in all that its feature_store.yaml names, part by part, each for itself. */
import type {RepoConfig} from '../config/repo-config.js'
import {listDefinitions, type DataSource, type Definitions} from '../definitions/definition.js'
import type {Instant} from '../definitions/instant.js'
import {FeatureStoreError} from '../errors.js'
import type {Examination, Finding} from '../examination.js'
import type {OfflineStore} from '../offline/offline-store.js'
import type {OnlineStore} from '../online/online-store.js'
import {shownLocation} from '../registry/location.js'
import type {Registry} from '../registry/registry.js'

export type Part = 'machine' | 'repo' | 'registry' | 'offline_store' | 'online_store'

export interface Check extends Finding {
  readonly part: Part
}

/** A repo whose feature_store.yaml could be read. */
export interface ExaminedRepo {
  readonly config: RepoConfig
  validate(): Promise<Definitions>
  /** As the files define them, whether or not that is right. */
  sources(): Promise<readonly DataSource[]>
  registry(): Promise<Registry>
  offline(): Promise<OfflineStore>
  /** Opened to read. */
  online(): Promise<OnlineStore>
}

export interface ExaminationOptions {
  /** Throws FS_CONFIG_INVALID and the like. */
  readonly open: () => Promise<ExaminedRepo>
  readonly clock: () => Instant
  /** Of Node, as `process.versions.node`. */
  readonly nodeVersion: string
}

const oldestNode = [20, 19] as const

/** Creates nothing and registers nothing. What can't be looked at is a failed check. */
export async function* examineRepo({
  open,
  clock,
  nodeVersion,
}: ExaminationOptions): AsyncGenerator<Check, void, undefined> {
  yield {part: 'machine', ...nodeFinding(nodeVersion)}
  let repo: ExaminedRepo | undefined
  yield* inPart('repo', 'feature_store.yaml', async function* () {
    repo = await open()
    yield {name: 'feature_store.yaml', status: 'ok', detail: `project ${repo.config.project}`}
  })
  if (repo === undefined) return
  const opened = repo
  yield* inPart('repo', 'definitions', async function* () {
    const count = listDefinitions(await opened.validate()).length
    yield {name: 'definitions', status: 'ok', detail: `${count}, checked against their sources`}
  })
  yield* inPart('registry', 'readable', async function* () {
    const registry = await opened.registry()
    const {document, revision} = await registry.read()
    const views = document.definitions.featureViews.length
    const held = views === 0 ? 'nothing applied yet' : `${views} feature views at revision ${revision}`
    yield {name: 'readable', status: 'ok', detail: `${shownLocation(opened.config.registry)}, ${held}`}
    yield* registry.examine(clock)
  })
  yield* inPart('offline_store', 'engine', async function* () {
    yield* (await opened.offline()).examine(clock, await opened.sources())
  })
  yield* inPart('online_store', 'reachable', async function* () {
    yield* (await opened.online()).examine(clock)
  })
}

/** A failure is the finding of the part that it ends. */
async function* inPart(
  part: Part,
  name: string,
  look: () => Examination,
): AsyncGenerator<Check, void, undefined> {
  let last = name
  try {
    for await (const finding of look()) {
      last = finding.name
      yield {part, ...finding}
    }
  } catch (error) {
    if (!(error instanceof FeatureStoreError)) throw error
    yield {part, ...failureOf(error, last === name ? name : `after ${last}`)}
  }
}

function failureOf(error: FeatureStoreError, name: string): Finding {
  const {message, hint, problems, position} = error
  const place =
    position?.file === undefined
      ? ''
      : ` (${position.file}${position.line === undefined ? '' : `:${position.line}`})`
  const remedy = problems.length > 0 ? 'Run `fs validate`, which shows each of them.' : hint
  return {name, status: 'failed', detail: `${message}${place}`, ...(remedy === undefined ? {} : {remedy})}
}

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])
  if (!isOld) return {name: 'node', status: 'ok', detail: version}
  return {
    name: 'node',
    status: 'failed',
    detail: version,
    remedy: `Use Node ${oldestNode.join('.')} or newer.`,
  }
}
