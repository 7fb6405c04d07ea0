/**
 * The composition root: opens what feature_store.yaml names; each verb is one call into a room. Commands, servers and
 * notebooks all come through here.
 */
import {resolve} from 'node:path'
import {AppliedRepo} from './applied-repo.js'
import type {ImportedTables} from './catalog/glue/import-tables.js'
import {loadRepoConfig} from './config/load-repo-config.js'
import type {RepoConfig} from './config/repo-config.js'
import type {DataSource, Definitions} from './definitions/definition.js'
import type {Duration} from './definitions/duration.js'
import type {Check, ExaminedRepo} from './doctor/examine-repo.js'
import type {Instant} from './definitions/instant.js'
import type {OnlineFeaturesOptions, OnlineRowOf, UntypedRepo} from './definitions/typed-repo.js'
import {machineEnvironment, type Environment} from './environment.js'
import {FeatureStoreError} from './errors.js'
import {closeDeadRuns} from './materialize/close-run.js'
import type {MaterializeProgress} from './materialize/run-materialization.js'
import {isHeld} from './materialize/view-lease.js'
import {viewStatuses, type ViewStatus} from './materialize/view-status.js'
import type {SourceTree} from './compile/query.js'
import type {FrameFormat, LeftBehind, RetrievalJob, SourceColumn} from './offline/offline-store.js'
import {OpenStores} from './open-stores.js'
import type {ApplyStep} from './plan/apply-plan.js'
import type {Plan} from './plan/plan.js'
import {isAlive, readProcessIdentity} from './registry/process-identity.js'
import type {Lease, ProcessIdentity, RegistrySnapshot, RunRecord} from './registry/registry.js'
import type {HistoricalFeaturesOptions} from './retrieval/historical-features.js'
import type {OnlineFeatures, OnlineResponse} from './retrieval/online-features.js'
import type {
  Difference,
  Verification,
  VerifyOptions,
  VerifyProgress,
  ViewVerification,
} from './verify/verification.js'

export type {ImportedTables}
export type {Check, FrameFormat, MaterializeProgress, OnlineResponse, RetrievalJob, ViewStatus}
export type {LeftBehind}
export type {Difference, Verification, VerifyOptions, VerifyProgress, ViewVerification}

export interface OpenOptions {
  /** What `now` means, in microseconds since 1970; the machine's clock by default. For reproducible runs and tests. */
  readonly now?: () => Instant
  /** The outside world; the machine's by default. */
  readonly environment?: Partial<Environment>
}

export interface ImportGlueOptions {
  readonly database: string
  /** All of the database where there are none. */
  readonly tables: readonly string[]
  readonly catalogId?: string
  readonly roleArn?: string
}

/** What both kinds of load take. */
export interface LoadOptions {
  /** Names of feature views; all that are online by default. */
  readonly views?: readonly string[]
  /** Views loaded side by side; `materialization.parallel` of feature_store.yaml by default. */
  readonly parallel?: number
  /** How long to wait for a view that another run is loading; not at all by default. */
  readonly wait?: Duration
  /** A view with more rejected rows than this counts as failed; 0 by default. */
  readonly maxRejects?: number
  /** Stops the run: what was written stays, nothing counts as covered that was not loaded whole. */
  readonly signal?: AbortSignal
  readonly onProgress?: (event: MaterializeProgress) => void
}

/** A feature repo and its stores. `Repo` is the type of a repo written in TypeScript; reads are then typed by it. */
export class FeatureStore<Repo = UntypedRepo> implements AsyncDisposable {
  readonly config: RepoConfig
  readonly #now: () => Instant
  readonly #environment: Environment
  readonly #stores: OpenStores
  readonly #applied: AppliedRepo

  private constructor(config: RepoConfig, options: OpenOptions) {
    this.config = config
    this.#environment = {...machineEnvironment, ...options.environment}
    this.#now = options.now ?? this.#environment.clock
    this.#stores = new OpenStores(config, this.#environment.clock)
    this.#applied = new AppliedRepo(() => this.#stores.registry(), this.#environment.clock)
  }

  /** Reads `feature_store.yaml` of a folder; the registry and the stores are opened when they are needed. */
  static async open<Repo = UntypedRepo>(
    directory: string,
    options: OpenOptions = {},
  ): Promise<FeatureStore<Repo>> {
    const variables = options.environment?.variables ?? machineEnvironment.variables
    return new FeatureStore<Repo>(await loadRepoConfig(resolve(directory), variables), options)
  }

  /** Looks at a repo and all that it names by calls that change nothing: the checks of `fs doctor`. */
  static async *examine(
    directory: string,
    options: OpenOptions = {},
  ): AsyncGenerator<Check, void, undefined> {
    const {examineRepo} = await import('./doctor/examine-repo.js')
    const {clock, nodeVersion} = {...machineEnvironment, ...options.environment}
    let store: FeatureStore | undefined
    const open = async (): Promise<ExaminedRepo> => {
      const opened = (store = await FeatureStore.open(directory, options))
      const stores = opened.#stores
      return {
        config: opened.config,
        validate: () => opened.#validateDefinitions(),
        sources: () => opened.#definedSources(),
        registry: () => stores.registry(),
        offline: () => stores.offline(),
        online: () => stores.online('read'),
      }
    }
    try {
      yield* examineRepo({open, clock, nodeVersion})
    } finally {
      await store?.close()
    }
  }

  /** What this store takes as the current time. */
  now(): Instant {
    return this.#now()
  }

  /**
   * Everything the repo defines, checked against its sources; inferred schemas are filled in. Throws
   * FS_VALIDATION_FAILED with all problems, and FS_CONFIG_INVALID where the online store's settings make no sense.
   * Nothing is registered.
   */
  validate(): Promise<Definitions> {
    return this.#validate()
  }

  /**
   * Writes definitions of tables of a Glue catalog into the repo, for people to confirm; see `importTables`. What the repo
   * defines need not be valid.
   */
  async importGlue({database, tables, ...access}: ImportGlueOptions): Promise<ImportedTables> {
    const [{loadRepo}, {importTables}] = await Promise.all([
      import('./repo/load-repo.js'),
      import('./catalog/glue/import-tables.js'),
    ])
    const {definitions} = await loadRepo(this.config)
    const entities = definitions.map(({definition}) => definition).filter((one) => one.kind === 'entity')
    return importTables({database, tables, access, directory: this.config.directory, entities})
  }

  /** What `apply` would change. */
  async plan(): Promise<Plan> {
    const described = new Map<string, readonly SourceColumn[]>()
    const [desired, registry] = await Promise.all([this.#validate(described), this.#stores.registry()])
    const [{createPlan}, {catalogDrift}, {document}] = await Promise.all([
      import('./plan/create-plan.js'),
      import('./repo/catalog-drift.js'),
      registry.read(),
    ])
    const warnings = catalogDrift(desired, described)
    return {...createPlan(desired, document), ...(warnings.length === 0 ? {} : {warnings})}
  }

  /**
   * Registers what the repo defines and brings the online store in line. With a `plan`, exactly that one; throws
   * FS_PLAN_STALE when something else was applied since it was made. May be repeated after a failure at any point.
   */
  async apply(
    options: {readonly plan?: Plan; readonly onStep?: (step: ApplyStep) => void | Promise<void>} = {},
  ): Promise<{readonly plan: Plan; readonly revision: string}> {
    const plan = options.plan ?? (await this.plan())
    const {applyPlan} = await import('./plan/apply-plan.js')
    try {
      const {revision} = await applyPlan({
        plan,
        registry: await this.#stores.registry(),
        openOnlineStore: () => this.#stores.online('write'),
        ...(options.onStep === undefined ? {} : {onStep: options.onStep}),
      })
      return {plan, revision}
    } finally {
      this.#applied.forget()
    }
  }

  /** Removes this project's online tables and its registry; sources and other projects keep theirs. May be repeated. */
  async teardown(): Promise<{readonly tables: readonly string[]}> {
    const {teardown} = await import('./plan/teardown.js')
    try {
      return await teardown({
        registry: await this.#stores.registry(),
        openOnlineStore: () => this.#stores.online('write'),
        isHeld: this.#isHeld(),
      })
    } finally {
      this.#applied.forget()
    }
  }

  /**
   * Loads the newest row of each entity among rows after `start` (null: from the beginning) up to and including `end`.
   * A view that fails is told in the run and does not stop the others.
   */
  materialize(
    options: LoadOptions & {readonly start: Instant | null; readonly end: Instant},
  ): Promise<RunRecord> {
    return this.#load('materialize', options)
  }

  /** Loads what is not in the online store yet, up to `end`: now by default. */
  materializeIncremental(options: LoadOptions & {readonly end?: Instant} = {}): Promise<RunRecord> {
    return this.#load('materialize-incremental', options)
  }

  /** What is online of each view, and how it came there. */
  async status(): Promise<{readonly views: readonly ViewStatus[]}> {
    const {document} = await this.#read()
    const views = await viewStatuses(document, () => this.#stores.online('read'), this.#isHeld())
    return {views}
  }

  /**
   * Compares what is online with the historical answer as of each view's watermark, key by key; `Verification` says what
   * counts as a difference. Nothing is written, and reads are spread so that others don't feel them.
   */
  async verify(options: VerifyOptions = {}): Promise<Verification> {
    const {views, sample = 1000, seed = 0, maxReadsPerSecond = 5000, examples = 5, ...rest} = options
    const {verifyViews} = await import('./verify/verify-views.js')
    const {clock} = this.#environment
    return verifyViews({
      ...rest,
      views,
      sample: sample === 'all' ? undefined : {size: sample, seed: BigInt(seed)},
      maxReadsPerSecond,
      examplesOfKind: examples,
      registry: await this.#stores.registry(),
      openOfflineStore: () => this.#stores.offline(),
      openOnlineStore: () => this.#stores.online('read'),
      isHeld: this.#isHeld(),
      now: this.#now,
      clock,
    })
  }

  /**
   * Removes what runs that were killed have left outside of this machine, where the last of it was written longer ago than
   * `olderThan`. Undefined where the offline store leaves nothing there.
   */
  async cleanUp(options: {
    readonly olderThan: Duration
    readonly dryRun: boolean
  }): Promise<LeftBehind | undefined> {
    const store = await this.#stores.offline()
    // By the machine's clock: that of `now` says nothing of when something was written.
    return await store.cleanUp?.(this.#environment.clock() - options.olderThan, options)
  }

  /** Past and present runs, newest first. */
  async listRuns(): Promise<readonly RunRecord[]> {
    const {runs} = (await this.#read()).document
    return closeDeadRuns(runs, isProcessAlive(), this.#environment.clock())
  }

  /** One run, or the `latest`. Throws FS_RUN_UNKNOWN. */
  async describeRun(id: string): Promise<RunRecord> {
    const runs = await this.listRuns()
    const run = id === 'latest' ? runs[0] : runs.find((one) => one.id === id)
    if (run !== undefined) return run
    throw new FeatureStoreError(
      'FS_RUN_UNKNOWN',
      id === 'latest' ? 'There is no run yet.' : `There is no run \`${id}\`; old ones are forgotten.`,
      {hint: id === 'latest' ? 'Run `fs materialize-incremental`.' : 'Run `fs runs list`.'},
    )
  }

  /** What is registered. */
  async definitions(): Promise<Definitions> {
    return (await this.#read()).document.definitions
  }

  /** A training frame, checked and compiled; run it once (to a file, or batch by batch), then close it. */
  async getHistoricalFeatures(options: HistoricalFeaturesOptions<Repo>): Promise<RetrievalJob> {
    const {historicalFeatures} = await import('./retrieval/historical-features.js')
    const [definitions, offlineStore] = await Promise.all([this.definitions(), this.#stores.offline()])
    return historicalFeatures({...options, definitions, offlineStore})
  }

  /** The newest values of entities, each with its status, in one round trip to the online store. */
  async getOnlineFeatures<const O extends OnlineFeaturesOptions<Repo>>(
    options: O,
  ): Promise<OnlineFeatures<OnlineRowOf<Repo, O>>> {
    const prepared = this.#applied.onlineReader(options, this.config.onlineStore.expireAfter)
    const reader = prepared instanceof Promise ? await prepared : prepared
    const online = await this.#stores.online('read')
    // Awaited here: a promise given back to `async` takes two turns more.
    const answer = await reader.read<OnlineRowOf<Repo, O>>(online, options.entities, this.#now())
    return answer
  }

  /** Closes everything that was opened. Safe to call twice. */
  close(): Promise<void> {
    return this.#stores[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #isHeld(): (lease: Lease) => boolean {
    const {clock} = this.#environment
    return (lease) => isHeld(lease, {clock, isAlive: isProcessAlive()})
  }

  async #read(): Promise<RegistrySnapshot> {
    return (await this.#stores.registry()).read()
  }

  async #load(
    command: RunRecord['command'],
    {
      views,
      parallel,
      wait,
      maxRejects,
      signal,
      onProgress,
      ...interval
    }: LoadOptions & {
      readonly start?: Instant | null
      readonly end?: Instant
    },
  ): Promise<RunRecord> {
    const {directory, materialization, onlineStore} = this.config
    const {runMaterialization} = await import('./materialize/run-materialization.js')
    const {clock, newRunId} = this.#environment
    return runMaterialization({
      command,
      ...interval,
      views,
      parallel: parallel ?? materialization.parallel,
      ...(wait === undefined ? {} : {wait}),
      maxRejects: maxRejects ?? 0,
      registry: await this.#stores.registry(),
      openOfflineStore: () => this.#stores.offline(),
      openOnlineStore: () => this.#stores.online('write'),
      openReader: () => this.#stores.newReader(),
      rejectsDirectory: resolve(directory, materialization.rejectsPath),
      snapshotsDirectory: resolve(directory, materialization.snapshotsPath),
      repoDirectory: directory,
      expireAfter: onlineStore.expireAfter,
      write: onlineStore.write,
      process: readProcessIdentity(),
      isAlive: isProcessAlive(),
      now: this.#now,
      clock,
      newRunId,
      signal,
      onProgress,
    })
  }

  async #validate(described?: Map<string, readonly SourceColumn[]>): Promise<Definitions> {
    // Connects to nothing yet, but reads its settings.
    await this.#stores.online('read')
    return this.#validateDefinitions(described)
  }

  /** As the files define them; none where these can't be read. */
  async #definedSources(): Promise<readonly DataSource[]> {
    const {loadRepo} = await import('./repo/load-repo.js')
    const {definitions} = await loadRepo(this.config)
    return definitions.flatMap(({definition}) => (definition.kind === 'data_source' ? [definition] : []))
  }

  async #validateDefinitions(described = new Map<string, readonly SourceColumn[]>()): Promise<Definitions> {
    const [{loadRepo}, {validateRepo}, {reservedColumnsOf}] = await Promise.all([
      import('./repo/load-repo.js'),
      import('./repo/validate-repo.js'),
      import('./online/drivers.js'),
    ])
    const contents = await loadRepo(this.config)
    // Settings that make no sense are told once, not for each source.
    const offline = await this.#stores.offline()
    const describe = async (tree: SourceTree): Promise<readonly SourceColumn[]> => {
      const columns = await offline.describeSource(tree)
      described.set(tree.source.name, columns)
      return columns
    }
    const {type} = this.config.onlineStore
    return validateRepo(contents, describe, {storeType: type, columns: reservedColumnsOf(type)})
  }
}

/** Whether a process that is named in the registry still runs; undefined for one on another machine. */
function isProcessAlive(): (holder: ProcessIdentity) => boolean | undefined {
  const self = readProcessIdentity()
  return (holder) => isAlive(holder, self)
}
