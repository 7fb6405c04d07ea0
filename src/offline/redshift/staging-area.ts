/**
 * Where rows lie on their way between the warehouse and this machine: a prefix of S3 for each run. It is emptied at the
 * end; what a killed run left is under `fs-run-`, for `fs cleanup` or a rule of the bucket.
 */
import {randomUUID} from 'node:crypto'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {S3Objects} from '../../aws/s3/s3-objects.js'
import {parseS3Location, type S3Location} from '../../aws/s3/s3-location.js'
import {quoteText} from '../../compile/dialects/redshift-names.js'
import {emptyRelation, parquetFiles} from './home-rows.js'
import {iamRoleClause} from './iam-role.js'
import type {RedshiftSettings} from './redshift-settings.js'
import {stagingFailure} from './staging-failure.js'
import type {WarehouseSession} from './warehouse-session.js'

/** How the prefixes of runs begin, below the staging location. */
export const runPrefix = 'fs-run-'

/** Small enough that one on this machine and one on its way take little; the least that UNLOAD takes is 5 MB. */
const partMegabytes = 128

/** A manifest names each part in some hundred bytes. */
const mostManifestBytes = 64 * 2 ** 20

/** Files of one answer, in order, as they lie in S3. */
export interface StagedParts {
  readonly urls: readonly string[]
  /** The answer as a relation of DuckDB, where it has no rows, and so no files. */
  readonly empty?: string
}

export class StagingArea implements AsyncDisposable {
  readonly #settings: RedshiftSettings
  readonly #prefix: string
  readonly #objects: S3Objects
  #folder: string | undefined
  #answers = 0

  private constructor(settings: RedshiftSettings, objects: S3Objects) {
    this.#settings = settings
    this.#objects = objects
    this.#prefix = `${settings.stagingLocation}/${runPrefix}${randomUUID()}`
  }

  static async open(settings: RedshiftSettings): Promise<StagingArea> {
    return new StagingArea(settings, await S3Objects.open(settings))
  }

  /**
   * Writes the rows of a SELECT to Parquet in S3: in one order as the SELECT says, or as every slice likes.
   * https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
   */
  async unload(session: WarehouseSession, select: string, order: 'kept' | 'any'): Promise<StagedParts> {
    const prefix = `${this.#prefix}/${(this.#answers += 1)}/part_`
    await session.run(
      `UNLOAD (${quoteText(select)}) TO ${quoteText(prefix)} ${iamRoleClause(this.#settings)} FORMAT AS PARQUET MANIFEST MAXFILESIZE ${partMegabytes} MB${order === 'kept' ? ' PARALLEL OFF' : ''}`,
    )
    // Read by the manifest and not by listing: a part that is missing is then an error.
    const text = await this.#told(`${prefix}manifest`, (place) => this.#manifest(session, place))
    const manifest = JSON.parse(text) as {readonly entries: readonly {readonly url: string}[]}
    const urls = manifest.entries.map(({url}) => url)
    return urls.length === 0 ? {urls, empty: emptyRelation(await session.describe(select))} : {urls}
  }

  /** An answer without rows leaves nothing, not even its manifest. */
  async #manifest(session: WarehouseSession, place: S3Location): Promise<string> {
    try {
      return (await this.#objects.getText(place, mostManifestBytes)).text
    } catch (error) {
      if ((await this.#objects.failure(error, place)).kind !== 'no-key') throw error
      const [[count] = []] = await session.rows('SELECT pg_last_unload_count()::varchar')
      if (count !== '0') throw error
      return '{"entries": []}'
    }
  }

  /** Loads a Parquet file of this machine into a table that is there. */
  async load(session: WarehouseSession, path: string, table: string): Promise<void> {
    const url = `${this.#prefix}/${(this.#answers += 1)}/rows.parquet`
    await this.#told(url, (place) => this.#objects.upload(place, path))
    await session.run(
      `COPY ${table} FROM ${quoteText(url)} ${iamRoleClause(this.#settings)} FORMAT AS PARQUET`,
    )
    await this.#remove(url)
  }

  /** Fetches each file when the one before is done with, and removes both copies then. */
  async *files({urls}: StagedParts, signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
    const folder = await this.folder()
    const fetched = async (index: number): Promise<string | undefined> => {
      const url = urls[index]
      if (url === undefined) return undefined
      const path = join(folder, `${randomUUID()}.parquet`)
      await this.#fetch(url, path, signal)
      return path
    }
    let next = fetched(0)
    try {
      for (const [index, url] of urls.entries()) {
        const path = await next
        if (path === undefined) return
        next = fetched(index + 1)
        // It may fail before anybody waits for it.
        next.catch(() => undefined)
        yield path
        await rm(path, {force: true})
        await this.#remove(url)
      }
    } finally {
      await next.catch(() => undefined)
    }
  }

  /** Fetches all files, which stay on this machine until the end; as a relation of DuckDB, in their order. */
  async fetch(parts: StagedParts, signal?: AbortSignal): Promise<string> {
    return parts.empty ?? parquetFiles(await this.fetchAll(parts, signal))
  }

  /** The same, as paths of the files; none where there are no rows. */
  async fetchAll({urls}: StagedParts, signal?: AbortSignal): Promise<readonly string[]> {
    const folder = await this.folder()
    const paths: string[] = []
    for (const url of urls) {
      const path = join(folder, `${randomUUID()}.parquet`)
      await this.#fetch(url, path, signal)
      await this.#remove(url)
      paths.push(path)
    }
    return paths
  }

  /** A folder of this machine that is removed at the end. */
  async folder(): Promise<string> {
    return (this.#folder ??= await mkdtemp(join(tmpdir(), 'fs-redshift-')))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // What stays is counted by `fs doctor` and removed by `fs cleanup`: no reason to fail, or to hide a failure.
      if (this.#answers > 0) await this.#removeAll().catch(() => undefined)
    } finally {
      if (this.#folder !== undefined) await rm(this.#folder, {recursive: true, force: true})
      await this.#objects[Symbol.asyncDispose]()
    }
  }

  /** A part that is not there, or is another by now, is an error. */
  #fetch(url: string, path: string, signal: AbortSignal | undefined): Promise<void> {
    return this.#told(
      url,
      async (place) => {
        const object = await this.#objects.head(place)
        if (object === undefined) throw new Error('there is no such object')
        await this.#objects.download(object, path, signal)
      },
      signal,
    )
  }

  #remove(url: string): Promise<void> {
    return this.#told(url, (place) => this.#objects.delete(place))
  }

  #removeAll(): Promise<void> {
    return this.#told(`${this.#prefix}/`, async (place) => {
      for await (const object of this.#objects.list(place)) await this.#objects.delete(object)
    })
  }

  async #told<T>(url: string, work: (place: S3Location) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const place = parseS3Location(url)
    if (place === undefined) throw new Error(`${url} is no place in S3`)
    try {
      return await work(place)
    } catch (error) {
      signal?.throwIfAborted()
      throw await stagingFailure(error, this.#objects, place)
    }
  }
}
