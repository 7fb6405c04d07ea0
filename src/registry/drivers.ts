import {FeatureStoreError} from '../errors.js'
import {schemeOf} from './location.js'
import type {Registry, RegistryDriver} from './registry.js'

/** Every kind of registry, by the scheme of its location; a location without a scheme is a path. */
const drivers: Readonly<Record<string, () => Promise<RegistryDriver>>> = {
  file: async () => (await import('./file/file-registry.js')).fileRegistryDriver,
  postgres,
  postgresql: postgres,
  s3: async () => (await import('./s3/s3-registry.js')).s3RegistryDriver,
}

async function postgres(): Promise<RegistryDriver> {
  return (await import('./postgres/postgres-registry.js')).postgresRegistryDriver
}

/** Opens the registry that feature_store.yaml names. Nothing is read or created yet. */
export async function openRegistry(options: Parameters<RegistryDriver['open']>[0]): Promise<Registry> {
  const scheme = schemeOf(options.location) ?? 'file'
  const load = Object.hasOwn(drivers, scheme) ? drivers[scheme] : undefined
  if (load === undefined) {
    throw new FeatureStoreError(
      'FS_STORE_UNKNOWN',
      `There is no registry for \`${scheme}://\`. Expected the path of a file, relative to the repo, postgres://…, or s3://….`,
      {hint: 'Set `registry: data/registry.json` in feature_store.yaml.'},
    )
  }
  return (await load()).open(options)
}
