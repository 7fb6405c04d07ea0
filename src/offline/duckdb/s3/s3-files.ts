import {emitWarning} from 'node:process'
import {join} from 'node:path'
import {s3Region} from '../../../aws/client-settings.js'
import {
  formatS3Location,
  parseS3Location,
  type S3Location,
  type S3Object,
} from '../../../aws/s3/s3-location.js'
import type {S3Objects} from '../../../aws/s3/s3-objects.js'
import {FeatureStoreError} from '../../../errors.js'
import {engineMessage} from '../query-error.js'
import {fixedPrefix, isGlob, matchGlob} from './match-glob.js'
import type {EngineSession, NamedPath} from './named-path.js'
import type {ObjectCache} from './object-cache.js'
import {S3Access} from './s3-access.js'
import {S3Secrets} from './s3-secrets.js'

/**
 * Objects of S3 as the engine reads them: by its extension httpfs where that can be loaded, else by files that the SDK
 * fetches. Either way the SDK lists, so that both read the same objects, and know their ETags.
 */
export class S3Files implements AsyncDisposable {
  readonly #cache: ObjectCache
  readonly #secrets = new S3Secrets()
  /** By the role that is assumed; none for the environment's own. */
  readonly #accesses = new Map<string | undefined, S3Access>()
  /** Why httpfs can't be loaded; empty where it was. */
  #httpfs: Promise<string> | undefined

  constructor(cache: ObjectCache) {
    this.#cache = cache
  }

  /**
   * The objects that a path names: one, those that fit a pattern, or all in a folder. The same for a whole session. Throws
   * FS_SOURCE_UNREADABLE where there are none, and for what S3 refuses.
   */
  find(session: EngineSession, source: NamedPath): Promise<readonly S3Object[]> {
    return this.#listed(session, source, 'of', (objects, place) => list(objects, place, source))
  }

  /** All objects whose keys begin as the path does, perhaps none. The same for a whole session. */
  findAll(session: EngineSession, source: NamedPath): Promise<readonly S3Object[]> {
    return this.#listed(session, source, 'below', async (objects, place) => {
      const found: S3Object[] = []
      for await (const object of objects.list(place)) found.push(object)
      return found
    })
  }

  #listed(
    session: EngineSession,
    source: NamedPath,
    which: 'of' | 'below',
    find: (objects: S3Objects, place: S3Location) => Promise<readonly S3Object[]>,
  ): Promise<readonly S3Object[]> {
    return session.once(`s3 ${which} ${source.path} ${source.role?.arn ?? ''}`, async () => {
      const place = parseS3Location(source.path)
      if (place === undefined) throw unreadable(source, 'it names no bucket. Expected s3://bucket/key')
      const objects = await this.#accessOf(source).objects()
      try {
        return await find(objects, place)
      } catch (error) {
        if (error instanceof FeatureStoreError) throw error
        const {reason, hint} = await objects.failure(error, place)
        throw unreadable(source, reason, hint, error)
      }
    })
  }

  /**
   * Lets the engine itself read what lies in a bucket; before each statement that does, see `S3Secrets`. Throws
   * FS_SOURCE_UNREADABLE where httpfs can't be loaded.
   */
  async open(session: EngineSession, source: NamedPath): Promise<void> {
    const place = parseS3Location(source.path)
    if (place === undefined) throw unreadable(source, 'it names no bucket. Expected s3://bucket/key')
    const reason = await (this.#httpfs ??= loadHttpfs(session))
    if (reason !== '')
      throw unreadable(
        source,
        `DuckDB's extension httpfs can't be loaded (${reason})`,
        'Run `INSTALL httpfs` once in DuckDB, or set `offline_store.extension_directory`.',
      )
    await this.#secrets.give(session, place.bucket, source, this.#accessOf(source))
  }

  /** What the engine is to read for objects that were found, as paths that mean themselves. */
  async paths(
    session: EngineSession,
    found: readonly S3Object[],
    source: NamedPath,
  ): Promise<readonly string[]> {
    const reason = await (this.#httpfs ??= loadHttpfs(session))
    const buckets = new Set(found.map(({bucket}) => bucket))
    if (reason === '') {
      for (const bucket of buckets) await this.#secrets.give(session, bucket, source, this.#accessOf(source))
      return found.map(formatS3Location)
    }
    sayOnce(
      `DuckDB's extension httpfs can't be loaded (${reason}): objects of S3 are fetched whole into a cache first. Run \`INSTALL httpfs\` once in DuckDB to read them where they lie.`,
    )
    const objects = await this.#accessOf(source).objects()
    try {
      return await this.#cache.files(
        found,
        (object, file) => objects.download(object, file),
        (release) => session.onClose(release),
      )
    } catch (error) {
      if (error instanceof FeatureStoreError)
        throw unreadable(source, error.message.replace(/\.$/, ''), error.hint, error)
      const {kind, reason: why, hint} = await objects.failure(error, found[0] as S3Object)
      throw unreadable(
        source,
        kind === 'precondition' ? 'it was replaced while it was read' : why,
        hint,
        error,
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const access of this.#accesses.values()) await access[Symbol.asyncDispose]()
  }

  #accessOf({role}: NamedPath): S3Access {
    const known = this.#accesses.get(role?.arn)
    if (known !== undefined) return known
    const access = new S3Access({
      region: s3Region(),
      ...(role === undefined ? {} : {roleArn: role.arn}),
    })
    this.#accesses.set(role?.arn, access)
    return access
  }
}

async function list(objects: S3Objects, place: S3Location, source: NamedPath): Promise<readonly S3Object[]> {
  const {bucket, key} = place
  const found: S3Object[] = []
  if (isGlob(key)) {
    for await (const object of objects.list({bucket, key: fixedPrefix(key)}))
      if (matchGlob(key, object.key)) found.push(object)
    if (found.length === 0) throw unreadable(source, 'no object fits the pattern')
    return found
  }
  const one = key === '' || key.endsWith('/') ? undefined : await objects.head(place)
  if (one?.size === 0) throw unreadable(source, 'the object is empty')
  if (one !== undefined) return [one]
  const folder = key === '' ? '' : join(key, '/')
  // Objects that stand for folders end in a slash.
  for await (const object of objects.list({bucket, key: folder}))
    if (!object.key.endsWith('/')) found.push(object)
  if (found.length === 0) throw unreadable(source, 'there is no such object, and no folder of that name')
  return found
}

async function loadHttpfs(session: EngineSession): Promise<string> {
  try {
    await session.run('LOAD httpfs')
    await session.run('SET GLOBAL http_retries = 8')
    return ''
  } catch (error) {
    return engineMessage(new Error((error as Error).message.split('\n')[0])).replace(/\.$/, '')
  }
}

let isSaid = false

/** Of a process: the same holds for each of its stores. */
function sayOnce(text: string): void {
  if (isSaid) return
  isSaid = true
  emitWarning(text, {type: 'FeatureStoreWarning'})
}

function unreadable(
  {name, path}: NamedPath,
  reason: string,
  hint?: string,
  cause?: unknown,
): FeatureStoreError {
  return new FeatureStoreError(
    'FS_SOURCE_UNREADABLE',
    `Data source \`${name}\` can't be read: ${path}: ${reason}.`,
    {
      hint: hint ?? 'Check `path` of the source: case counts in the keys of S3.',
      cause,
    },
  )
}
