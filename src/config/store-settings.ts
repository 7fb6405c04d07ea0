/**
 * The settings of every type of store, as JSON Schema. Whoever adds a store adds its entry here: the check of
 * feature_store.yaml, the shipped schema and the completion of editors all follow from it.
 */
import type {Schema} from './check-schema.js'

export interface StoreSettings {
  readonly description: string
  /** The keys of the store's block, besides `type`. */
  readonly properties: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

/** By type; the first is the default. */
export const offlineStoreSettings: Readonly<Record<string, StoreSettings>> = {
  duckdb: {
    description: 'DuckDB, in the process of the command.',
    properties: {
      extension_directory: {
        type: 'string',
        description: "Folder of DuckDB's extensions; DuckDB's own by default.",
      },
      threads: {type: 'integer', minimum: 1, description: 'Threads to use; all cores by default.'},
      memory_limit: {
        type: 'string',
        pattern: '^\\d+(\\.\\d+)?\\s*([kKMGT]i?B|%)$',
        errorMessage: 'a size like 4GB',
        description: "Memory to use, for example 4GB; DuckDB's own default is 80 % of the machine's.",
      },
    },
  },
}

/** By type; the first is the default. Every type also takes `expire_after`. */
export const onlineStoreSettings: Readonly<Record<string, StoreSettings>> = {
  embedded: {
    description: 'LMDB in a folder of this machine: one process writes while others read.',
    properties: {
      path: {
        type: 'string',
        pattern: '\\S',
        errorMessage: 'the path of a folder',
        default: 'data/online',
        description: 'Folder of the store, relative to the repo.',
      },
    },
  },
  redis: {
    description: 'Redis or what speaks its protocol: Valkey, ElastiCache, MemoryDB.',
    required: ['connection_string'],
    properties: {
      connection_string: {
        type: 'string',
        pattern: '\\S',
        errorMessage: 'host:port[,host:port…][,ssl=true][,username=…][,password=…][,db=…]',
        description: 'Where the server is, as in Feast: host:port, then options separated by commas.',
      },
      redis_type: {
        type: 'string',
        enum: ['redis', 'redis_cluster', 'redis_sentinel'],
        default: 'redis',
        description: 'One server, a cluster, or a server that sentinels watch.',
      },
      sentinel_master: {type: 'string', pattern: '\\S', description: 'The master that the sentinels watch.'},
      ca_file: {
        type: 'string',
        pattern: '\\S',
        errorMessage: 'the path of a PEM file',
        description: 'Certificates to trust, relative to the repo; with it, TLS is used.',
      },
    },
  },
}
