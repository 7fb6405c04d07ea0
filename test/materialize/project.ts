/** A project of drivers in a folder of its own, with real stores, whose source files the tests write. */
import {DuckDBInstance} from '@duckdb/node-api'
import {mkdtemp, readFile, rename, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {collectDefinitions, type Definitions, type FeatureView} from '../../src/definitions/definition.js'
import type {Instant} from '../../src/definitions/instant.js'
import type {MaterializationOptions} from '../../src/materialize/run-materialization.js'
import {runMaterialization} from '../../src/materialize/run-materialization.js'
import {openOfflineStore} from '../../src/offline/drivers.js'
import type {OfflineStore} from '../../src/offline/offline-store.js'
import {openOnlineStore} from '../../src/online/drivers.js'
import type {OnlineRow, OnlineStore} from '../../src/online/online-store.js'
import {onlineTableOf} from '../../src/online/online-table.js'
import {openRegistry} from '../../src/registry/drivers.js'
import {isAlive, readProcessIdentity} from '../../src/registry/process-identity.js'
import type {Registry, RegistryDocument, RunRecord, ViewState} from '../../src/registry/registry.js'
import {updateRegistry} from '../../src/registry/update-registry.js'

export const hour = 3_600_000_000n
export const day = 24n * hour

/** A row of a source: a driver's trips so far, and a note. */
export interface SourceRow {
  readonly driver: bigint | null
  readonly event: Instant
  readonly created?: Instant | null
  readonly trips: bigint | null
  readonly note?: string | null
}

export interface ViewSettings {
  readonly ttl?: bigint
  readonly lateness?: bigint
  /** Whether its source has a created timestamp. */
  readonly created?: boolean
  readonly online?: boolean
  readonly knowledgeTime?: boolean
  readonly sync?: 'snapshot'
  /** The column that is its key; `driver_id` by default. */
  readonly key?: 'driver_id' | 'note'
  /** The type that `note` is declared as; text by default. */
  readonly note?: 'string' | 'int32'
}

export type RunOptions = Partial<MaterializationOptions>

export class Project implements AsyncDisposable {
  readonly directory: string
  readonly registry: Registry
  readonly offline: OfflineStore
  readonly online: OnlineStore
  #runs = 0

  private constructor(directory: string, registry: Registry, offline: OfflineStore, online: OnlineStore) {
    this.directory = directory
    this.registry = registry
    this.offline = offline
    this.online = online
  }

  /** A new project with its views applied. */
  static async create(views: Readonly<Record<string, ViewSettings>>): Promise<Project> {
    const project = await Project.open(await mkdtemp(join(tmpdir(), 'fs-materialize-')))
    await project.apply(views)
    return project
  }

  static async open(directory: string): Promise<Project> {
    const at = {project: 'rides', repoDirectory: directory}
    return new Project(
      directory,
      await openRegistry({...at, location: 'registry.json'}),
      await openOfflineStore({type: 'duckdb', settings: {}}, at),
      await openOnlineStore({type: 'embedded', settings: {path: 'online'}}, {...at, access: 'write'}),
    )
  }

  async apply(views: Readonly<Record<string, ViewSettings>>): Promise<void> {
    const definitions = definitionsOf(views)
    const states = definitions.featureViews
      .filter((view) => view.online)
      .map(({name}) => [name, {table: name, covered: []}])
    await this.online.prepare(
      definitions.featureViews.map((view) => onlineTableOf(view, definitions, view.name)),
    )
    await this.change((document) => ({
      ...document,
      definitions,
      views: Object.fromEntries(states) as RegistryDocument['views'],
    }))
  }

  /** Writes the whole source of a view. */
  async writeSource(view: string, rows: readonly SourceRow[]): Promise<void> {
    const path = join(this.directory, `${view}.parquet`)
    const values = rows.map(
      ({driver, event, created, trips, note}) =>
        `(${driver ?? 'NULL'}, ${event}, ${created ?? 'NULL'}, ${trips ?? 'NULL'}, ${note === undefined || note === null ? 'NULL' : `'${note}'`})`,
    )
    const all = rows.length === 0 ? ['(0, 0, 0, 0, NULL)'] : values
    await writeParquet(
      path,
      `SELECT d::BIGINT AS driver_id, make_timestamp(e::BIGINT) AS event_timestamp, make_timestamp(c::BIGINT) AS created,
         t::BIGINT AS trips, n::VARCHAR AS note
       FROM (VALUES ${all.join(', ')}) AS rows(d, e, c, t, n)${rows.length === 0 ? ' WHERE false' : ''}`,
    )
  }

  /** Writes a source with one row for each of `count` drivers, all at `event`. */
  async writeManyDrivers(view: string, count: number, event: Instant): Promise<void> {
    await writeParquet(
      join(this.directory, `${view}.parquet`),
      `SELECT range AS driver_id, make_timestamp(${event}::BIGINT) AS event_timestamp,
         make_timestamp(${event}::BIGINT) AS created, range * 10 AS trips, 'n' || range AS note FROM range(${count})`,
    )
  }

  /** An incremental run up to `end`, which is also now. */
  load(end: Instant, options: RunOptions = {}): Promise<RunRecord> {
    return this.run({command: 'materialize-incremental', now: () => end, end, ...options})
  }

  run(options: RunOptions & Pick<MaterializationOptions, 'command' | 'now'>): Promise<RunRecord> {
    const self = readProcessIdentity()
    return runMaterialization({
      parallel: 2,
      maxRejects: 0,
      registry: this.registry,
      openOfflineStore: () => Promise.resolve(this.offline),
      openOnlineStore: () => Promise.resolve(this.online),
      openReader: () => Promise.reject(new Error('an embedded store is not paced')),
      rejectsDirectory: join(this.directory, 'rejects'),
      snapshotsDirectory: join(this.directory, 'snapshots'),
      repoDirectory: this.directory,
      expireAfter: day,
      write: {
        pacing: 'adaptive',
        maxConcurrency: 256,
        latencyTargetMillis: 25,
        maxConcurrentRuns: 2,
        lockTimeout: 1_000_000n,
      },
      process: self,
      isAlive: (holder) => isAlive(holder, self),
      clock: () => BigInt(Date.now()) * 1000n,
      newRunId: () => `run-${self.pid}-${(this.#runs += 1)}`,
      ...options,
    })
  }

  /** What is online of each driver of a view. */
  async read(view: string, drivers: readonly bigint[]): Promise<ReadonlyMap<bigint, OnlineRow>> {
    const {definitions, views} = await this.document()
    const registered = definitions.featureViews.find((one) => one.name === view)
    const table = views[view]?.table
    if (registered === undefined || table === undefined) throw new Error(`no view ${view}`)
    const request = {
      table: onlineTableOf(registered, definitions, table),
      keys: drivers.map((driver) => [driver]),
      features: registered.schema.map((field) => field.name),
    }
    const [rows = []] = await this.online.read([request])
    return new Map(rows.flatMap((row, index) => (row === undefined ? [] : [[drivers[index] as bigint, row]])))
  }

  async document(): Promise<RegistryDocument> {
    return (await this.registry.read()).document
  }

  async state(view: string): Promise<ViewState> {
    const state = (await this.document()).views[view]
    if (state === undefined) throw new Error(`no state of ${view}`)
    return state
  }

  async change(change: (document: RegistryDocument) => RegistryDocument): Promise<void> {
    await updateRegistry(this.registry, change)
  }

  async changeState(view: string, change: Partial<ViewState>): Promise<void> {
    await this.change((document) => {
      const state = document.views[view]
      if (state === undefined) throw new Error(`no state of ${view}`)
      return {...document, views: {...document.views, [view]: {...state, ...change}}}
    })
  }

  /** The rejected rows that a run's record names, as text lines. */
  async rejects(file: string | undefined): Promise<readonly string[]> {
    const text = await readFile(join(this.directory, file ?? 'no rejects file'), 'utf8')
    return text.trimEnd().split('\n')
  }

  async close(): Promise<void> {
    await this.online[Symbol.asyncDispose]()
    await this.offline[Symbol.asyncDispose]()
    await this.registry[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    await rm(this.directory, {recursive: true, force: true})
  }
}

export function definitionsOf(views: Readonly<Record<string, ViewSettings>>): Definitions {
  return collectDefinitions([
    {kind: 'entity', name: 'driver', joinKeys: [{name: 'driver_id', valueType: 'int64'}]},
    {kind: 'entity', name: 'remark', joinKeys: [{name: 'note', valueType: 'string'}]},
    ...Object.entries(views).flatMap(([name, settings]) => [
      {
        kind: 'data_source' as const,
        name,
        type: 'file' as const,
        path: `${name}.parquet`,
        timestampField: 'event_timestamp',
        ...(settings.created === false ? {} : {createdTimestampColumn: 'created'}),
      },
      {
        kind: 'feature_view' as const,
        name,
        entities: [settings.key === 'note' ? 'remark' : 'driver'],
        source: name,
        schema: [
          {name: 'trips', valueType: 'int64' as const},
          ...(settings.key === 'note'
            ? []
            : [{name: 'note', valueType: settings.note ?? ('string' as const)}]),
        ],
        online: settings.online ?? true,
        knowledgeTime: settings.knowledgeTime ?? false,
        ...(settings.sync === undefined ? {} : {sync: settings.sync}),
        ...(settings.ttl === undefined ? {} : {ttl: settings.ttl}),
        ...(settings.lateness === undefined ? {} : {lateness: settings.lateness}),
      } satisfies FeatureView,
    ]),
  ])
}

/** As a pipeline would: the file appears whole. */
async function writeParquet(path: string, query: string): Promise<void> {
  const database = await DuckDBInstance.create(':memory:', {threads: '1'})
  const connection = await database.connect()
  try {
    await connection.run(`COPY (${query}) TO '${path}.next' (FORMAT parquet)`)
    await rename(`${path}.next`, path)
  } finally {
    connection.closeSync()
    database.closeSync()
  }
}
