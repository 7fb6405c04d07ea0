import {FeatureStoreError} from '../errors.js'
import type {Registry, RegistryDriver} from './registry.js'

/** Every kind of registry, by the scheme of its location; a location without a scheme is a path. */
const drivers: Readonly<Record<string, () => Promise<RegistryDriver>>> = {
  file: async () => (await import('./file/file-registry.js')).fileRegistryDriver,
}

/** Opens the registry that feature_store.yaml names. Nothing is read or created yet. */
export async function openRegistry(options: Parameters<RegistryDriver['open']>[0]): Promise<Registry> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(options.location)?.[1]?.toLowerCase() ?? 'file'
  const load = Object.hasOwn(drivers, scheme) ? drivers[scheme] : undefined
  if (load === undefined) {
    throw new FeatureStoreError(
      'FS_STORE_UNKNOWN',
      `There is no registry for \`${scheme}://\`. Expected the path of a file, relative to the repo.`,
      {hint: 'Set `registry: data/registry.json` in feature_store.yaml.'},
    )
  }
  return (await load()).open(options)
}
