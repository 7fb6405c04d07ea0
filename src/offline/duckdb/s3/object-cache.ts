import {createHash, randomUUID} from 'node:crypto'
import {mkdir, readdir, rename, rm, stat, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import type {S3Object} from '../../../aws/s3/s3-location.js'
import {FeatureStoreError} from '../../../errors.js'

/** Written at each use. */
const usedMark = 'used'

/**
 * Objects of S3 as files of this machine, each known by its ETag: what has changed is another file. Takes no more than so
 * many bytes: what was not used for longest goes first. Several processes may share a folder.
 */
export class ObjectCache {
  readonly #folder: string
  readonly #mostBytes: number
  /** What this process reads, and how many sessions do. */
  readonly #inUse = new Map<string, number>()

  constructor(folder: string, mostBytes: number) {
    this.#folder = folder
    this.#mostBytes = mostBytes
  }

  /**
   * Gives the files of some objects, in their order; `download` makes those that are not there. Folders named k=v stay in
   * the paths. They stay until what `onUse` was given is called. Throws FS_SOURCE_UNREADABLE where they are more than fits.
   */
  async files(
    objects: readonly S3Object[],
    download: (object: S3Object, file: string) => Promise<void>,
    onUse: (release: () => void) => void,
  ): Promise<readonly string[]> {
    const total = objects.reduce((sum, {size}) => sum + size, 0)
    if (total > this.#mostBytes) {
      throw new FeatureStoreError(
        'FS_SOURCE_UNREADABLE',
        `${objects.length} objects of S3 have ${total} bytes, and the cache takes ${this.#mostBytes}.`,
        {
          hint: 'Run `INSTALL httpfs` once in DuckDB, which reads without a cache, or raise `cache_size` of offline_store.',
        },
      )
    }
    const entries = objects.map((object) => ({object, file: this.#fileOf(object)}))
    const used = entries.map(({file}) => this.#entryOf(file))
    for (const entry of used) this.#inUse.set(entry, (this.#inUse.get(entry) ?? 0) + 1)
    onUse(() => {
      for (const entry of used) {
        const left = (this.#inUse.get(entry) ?? 1) - 1
        if (left === 0) this.#inUse.delete(entry)
        else this.#inUse.set(entry, left)
      }
    })
    const missing: typeof entries = []
    for (const entry of entries) {
      const isThere = await markUsed(this.#entryOf(entry.file)).then(
        () => true,
        () => false,
      )
      if (!isThere) missing.push(entry)
    }
    await this.#makeRoom(missing.reduce((sum, {object}) => sum + object.size, 0))
    for (const {object, file} of missing) await this.#fetch(object, file, download)
    return entries.map(({file}) => file)
  }

  async #fetch(
    object: S3Object,
    file: string,
    download: (object: S3Object, file: string) => Promise<void>,
  ): Promise<void> {
    const entry = this.#entryOf(file)
    const part = join(this.#folder, `part-${randomUUID()}`)
    const partFile = join(part, file.slice(entry.length + 1))
    try {
      await mkdir(dirname(partFile), {recursive: true})
      await download(object, partFile)
      await markUsed(part)
      // Another process may have been faster: what it has is the same.
      await rename(part, entry).catch(async (error: unknown) => {
        if ((await stat(file).catch(() => undefined)) === undefined) throw error
      })
    } finally {
      await rm(part, {recursive: true, force: true})
    }
  }

  /** Removes what was used longest ago until so many bytes fit. */
  async #makeRoom(bytes: number): Promise<void> {
    await mkdir(this.#folder, {recursive: true})
    const held: {readonly path: string; readonly size: number; readonly usedMillis: number}[] = []
    for (const name of await readdir(this.#folder)) {
      const [, size] = /^[0-9a-f]{32}-(\d+)$/.exec(name) ?? []
      const path = join(this.#folder, name)
      const found = size === undefined ? undefined : await stat(join(path, usedMark)).catch(() => undefined)
      if (found !== undefined) held.push({path, size: Number(size), usedMillis: found.mtimeMs})
    }
    let total = held.reduce((sum, {size}) => sum + size, bytes)
    for (const {path, size} of held.toSorted((a, b) => a.usedMillis - b.usedMillis)) {
      if (total <= this.#mostBytes) return
      if (this.#inUse.has(path)) continue
      await rm(path, {recursive: true, force: true})
      total -= size
    }
  }

  /** The folder of an object says its size, so that nothing must be opened to count. */
  #fileOf({bucket, key, etag, size}: S3Object): string {
    const hash = createHash('sha256')
      .update(JSON.stringify([bucket, key, etag]))
      .digest('hex')
    const names = key.split('/')
    const kept = names.filter((name, index) => index === names.length - 1 || /^[^=]+=./.test(name))
    return join(this.#folder, `${hash.slice(0, 32)}-${size}`, 'object', ...kept.map(safeName))
  }

  #entryOf(file: string): string {
    return join(this.#folder, file.slice(this.#folder.length + 1).split('/')[0] ?? '')
  }
}

/** The file system tells when: it has one clock for all who share the folder. */
function markUsed(entry: string): Promise<void> {
  return writeFile(join(entry, usedMark), '-')
}

/** A part of a key that is also one of a path. */
function safeName(name: string): string {
  return name === '..' || name === '.' ? `_${name}` : name
}
