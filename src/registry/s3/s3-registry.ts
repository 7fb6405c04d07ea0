/**
 * A registry in one object of S3, the same JSON as in a file. Writers need no lock: S3 puts an object on the condition that
 * nothing is there, or that what is there has an ETag.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
import {randomUUID} from 'node:crypto'

import {s3Region, type AwsIdentity} from '../../aws/client-settings.js'
import {s3Failure} from '../../aws/s3/s3-failure.js'
import {parseS3Location, type S3Location} from '../../aws/s3/s3-location.js'
import {S3Objects, type S3Condition} from '../../aws/s3/s3-objects.js'
import type {Instant} from '../../definitions/instant.js'
import {FeatureStoreError} from '../../errors.js'
import type {Examination} from '../../examination.js'
import {patiently} from '../../patiently.js'
import {formatSnapshot, parseSnapshot} from '../document-codec.js'
import type {Registry, RegistryDocument, RegistryDriver, RegistrySnapshot} from '../registry.js'
import {emptySnapshot, registryConflict} from '../snapshots.js'
import {examineS3Registry} from './examine-s3-registry.js'

/** Long enough for the storm of conflicts that a handful of writers make. */
const patienceMillis = 30_000
/** More than any project's definitions and runs take. */
const mostBytes = 256 * 2 ** 20
/** User metadata holds 2 KB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const revisionsKept = 40
const revisionsName = 'recent-revisions'

export const s3RegistryDriver: RegistryDriver = {
  async open({location, project, settings = {}}) {
    const place = parseS3Location(location)
    if (place === undefined || place.key === '' || place.key.endsWith('/')) {
      throw new FeatureStoreError(
        'FS_CONFIG_INVALID',
        `\`registry\` ${location} names no object of S3. Expected s3://bucket/prefix/registry.json.`,
        {hint: 'Name the bucket, then the key of the object, in feature_store.yaml.'},
      )
    }
    const {region, ...role} = settings as Partial<AwsIdentity>
    const identity = {...role, region: region ?? s3Region()}
    return new S3Registry(await S3Objects.open(identity), {location, place, project, identity})
  },
}

/** What the object holds, and what S3 tells of it. */
interface Held extends RegistrySnapshot {
  readonly condition: S3Condition
  /** The newest last; this one's own among them. */
  readonly recent: readonly string[]
}

class S3Registry implements Registry {
  readonly #objects: S3Objects
  readonly #location: string
  readonly #place: S3Location
  readonly #project: string
  readonly #identity: AwsIdentity
  /** What was read or written last: a commit most often goes on from there. */
  #last: Held | undefined

  constructor(
    objects: S3Objects,
    options: {
      readonly location: string
      readonly place: S3Location
      readonly project: string
      readonly identity: AwsIdentity
    },
  ) {
    this.#objects = objects
    this.#location = options.location
    this.#place = options.place
    this.#project = options.project
    this.#identity = options.identity
  }

  async read(): Promise<RegistrySnapshot> {
    const {revision, document} = await this.#told('FS_REGISTRY_UNREADABLE', 'read', () => this.#read())
    return {revision, document}
  }

  /**
   * A commit whose answer was lost is sent again by the SDK, and then refused for what it did itself: its revision, which
   * is nobody else's, tells, also when others went on from there.
   */
  async commit(document: RegistryDocument, expectedRevision: string): Promise<RegistrySnapshot> {
    if (document.project !== this.#project) {
      throw new Error(`a document of project ${document.project} in the registry of ${this.#project}`)
    }
    // The revision is in the text: without it, an older text that comes back would bring its old ETag back.
    const next = {revision: randomUUID(), document}
    return this.#told('FS_REGISTRY_UNWRITABLE', 'written', async () => {
      const held = this.#last?.revision === expectedRevision ? this.#last : await this.#read()
      if (held.revision !== expectedRevision) throw registryConflict(this.#location)
      const recent = [...held.recent, next.revision].slice(-revisionsKept)
      await this.#replace(next, held.condition, recent)
      return next
    })
  }

  async *examine(clock: () => Instant): Examination {
    yield* examineS3Registry(this.#objects, {place: this.#place, identity: this.#identity, clock})
  }

  async destroy(): Promise<void> {
    await this.#told('FS_REGISTRY_UNWRITABLE', 'written', () =>
      patiently(
        async () => {
          const {condition} = await this.#read()
          if (condition !== 'absent') await this.#objects.delete(this.#place, condition.etag)
          this.#last = undefined
        },
        {
          millis: patienceMillis,
          // Changed, or gone, since it was read: what is there now is looked at anew.
          mayPass: (error) => ['precondition', 'conflict', 'no-key'].includes(this.#kindOf(error)),
        },
      ),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#objects[Symbol.asyncDispose]()
  }

  async #read(): Promise<Held> {
    this.#last = undefined
    let found
    try {
      found = await this.#objects.getText(this.#place, mostBytes)
    } catch (error) {
      if (this.#kindOf(error) !== 'no-key') throw error
      return (this.#last = {...emptySnapshot(this.#project), condition: 'absent', recent: []})
    }
    const recent = found.metadata[revisionsName]?.split(',') ?? []
    const snapshot = parseSnapshot(found.text, this.#location, this.#project)
    return (this.#last = {...snapshot, condition: {etag: found.etag}, recent})
  }

  async #replace(next: RegistrySnapshot, condition: S3Condition, recent: readonly string[]): Promise<void> {
    const text = formatSnapshot(next)
    const metadata = {[revisionsName]: recent.join(',')}
    try {
      const etag = await patiently(() => this.#objects.putText(this.#place, text, {condition, metadata}), {
        millis: patienceMillis,
        mayPass: (error) => this.#kindOf(error) === 'conflict',
      })
      this.#last = {...next, condition: {etag}, recent}
    } catch (error) {
      const kind = this.#kindOf(error)
      // Where nothing is, nothing has an ETag to match: somebody removed it.
      if (kind !== 'precondition' && kind !== 'no-key') throw error
      const now = await this.#read()
      if (now.revision !== next.revision && !now.recent.includes(next.revision))
        throw registryConflict(this.#location)
    }
  }

  #kindOf(error: unknown): string {
    return error instanceof FeatureStoreError ? 'told' : s3Failure(error, this.#place.bucket).kind
  }

  async #told<T>(
    code: 'FS_REGISTRY_UNREADABLE' | 'FS_REGISTRY_UNWRITABLE',
    what: string,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof FeatureStoreError && error.code !== 'FS_STORE_UNAVAILABLE') throw error
      const {reason, hint} = await this.#objects.failure(error, this.#place)
      throw new FeatureStoreError(code, `The registry ${this.#location} can't be ${what}: ${reason}.`, {
        hint,
        cause: error,
      })
    }
  }
}
