import {resolve} from 'node:path'
import {ObjectCache} from './object-cache.js'

const powers = 'BKMGT'

/** The cache that `offline_store` names; nothing is made yet. */
export function objectCache(settings: Readonly<Record<string, unknown>>, repoDirectory: string): ObjectCache {
  const {cacheDirectory = 'data/s3-cache', cacheSize = '10GB'} = settings as {
    readonly cacheDirectory?: string
    readonly cacheSize?: string
  }
  const [, digits = '10', unit = 'G', binary] = /^([\d.]+)\s*([KMGT]?)(i?)B$/i.exec(cacheSize) ?? []
  const base = binary === 'i' ? 1024 : 1000
  const bytes = Number(digits) * base ** Math.max(0, powers.indexOf(unit.toUpperCase() || 'B'))
  return new ObjectCache(resolve(repoDirectory, cacheDirectory), bytes)
}
