import {FeatureStoreError, type SourcePosition} from '../errors.js'

/** A block of feature_store.yaml that a driver reads by itself. */
export type DriverBlock = 'registry' | 'offline_store' | 'online_store'

/** What a driver says of its settings, at their place: that of the setting which the message names, or of the block. */
export function atItsSetting(
  error: unknown,
  block: DriverBlock,
  locate: (path: readonly string[]) => SourcePosition,
): unknown {
  if (!(error instanceof FeatureStoreError) || error.position !== undefined) return error
  if (error.code !== 'FS_CONFIG_INVALID' && error.code !== 'FS_STORE_UNKNOWN') return error
  const [, setting] = new RegExp(`${block}\\.(\\w+)`).exec(error.message) ?? []
  const position = locate(setting === undefined ? [block] : [block, setting])
  const {code, message, hint, problems, cause} = error
  return new FeatureStoreError(code, message, {hint, position, problems, cause})
}
