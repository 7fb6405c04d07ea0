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

const consistencyLevels = ['ONE', 'LOCAL_ONE', 'QUORUM', 'LOCAL_QUORUM', 'EACH_QUORUM', 'ALL'] as const

const roleArn: Schema = {
  type: 'string',
  pattern: '\\S',
  errorMessage: 'the ARN of a role',
  description: 'Role to assume, perhaps of another account, with the credentials that are found.',
}
const externalId: Schema = {
  type: 'string',
  pattern: '\\S',
  errorMessage: 'text',
  description: "What that role's account asks of strangers.",
}
const region: Schema = {
  type: 'string',
  pattern: '\\S',
  errorMessage: 'a region of AWS, like eu-west-1',
  description: 'Region of AWS.',
}
const named = (description: string): Schema => ({
  type: 'string',
  pattern: '\\S',
  errorMessage: 'text',
  description,
})

const redshift: StoreSettings = {
  description: 'Amazon Redshift, by its Data API: no connection is kept, none needs a way into the VPC.',
  required: ['region', 'database', 's3_staging_location', 'iam_role'],
  properties: {
    cluster_id: named('A cluster; with `user`, or with `secret_arn`.'),
    user: named('User of the database, whose credentials IAM gives; only with `cluster_id`.'),
    workgroup: named('A workgroup of Redshift Serverless, instead of a cluster.'),
    secret_arn: named('A secret with user and password.'),
    database: named('Database to connect to.'),
    region,
    s3_staging_location: {
      type: 'string',
      pattern: '^s3://[^/]+(/.*)?$',
      errorMessage: 's3://bucket/prefix',
      description: 'Where rows lie on their way; each run has a prefix of its own there, and removes it.',
    },
    iam_role: {
      type: 'string',
      // An editor sees variables that are not filled in yet.
      pattern:
        "^(default|.*\\$\\{.*|arn:aws[a-z-]*:iam::\\d{12}:role/[^',\\s]+(,arn:aws[a-z-]*:iam::\\d{12}:role/[^',\\s]+)*)$",
      errorMessage: 'the ARN of a role, or default',
      description:
        'ARN of the role by which Redshift reads and writes there (or several, joined by commas), or `default`.',
    },
    role_arn: roleArn,
    external_id: externalId,
    statement_timeout: {
      type: 'string',
      format: 'fs-duration',
      pattern: '^\\s*(0|\\d{1,18}\\s*(us|ms|s|m|h|d|w))\\s*$',
      errorMessage: 'a duration like 90s, 15m, 2h, 1d or 2w',
      default: '1h',
      description: 'After which a statement is cancelled.',
    },
    external_schema: named('Schema over the Glue Data Catalog, by which sources of type glue are read.'),
    threads: {
      type: 'integer',
      minimum: 1,
      description: 'Threads of this machine to use; all cores by default.',
    },
    memory_limit: {
      type: 'string',
      pattern: '^\\d+(\\.\\d+)?\\s*([kKMGT]i?B|%)$',
      errorMessage: 'a size like 4GB',
      default: '256MB',
      description: 'Memory of this machine for what has come home; the rest is on disk.',
    },
  },
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
      cache_directory: {
        type: 'string',
        pattern: '\\S',
        errorMessage: 'the path of a folder',
        description:
          "Folder for objects of S3, relative to the repo (data/s3-cache by default), where DuckDB's extension httpfs can't be loaded.",
      },
      cache_size: {
        type: 'string',
        pattern: '^\\d+(\\.\\d+)?\\s*[kKMGT]i?B$',
        errorMessage: 'a size like 10GB',
        description: 'What these may take together; 10GB by default.',
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
  redshift,
}

/** By type; the first is the default. Every type also takes `expire_after` and `write`. */
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
  cassandra: {
    description: 'Apache Cassandra or what speaks its protocol: a table of native columns for each view.',
    required: ['hosts', 'keyspace'],
    properties: {
      hosts: {
        type: 'array',
        minItems: 1,
        items: {type: 'string', pattern: '^\\S+$', errorMessage: 'host or host:port'},
        description: 'Some nodes of the cluster, as host or host:port; the others are found by them.',
      },
      port: {
        type: 'integer',
        minimum: 1,
        maximum: 65_535,
        errorMessage: 'a port from 1 to 65535',
        default: 9042,
        description: 'Port of hosts that name none.',
      },
      keyspace: {
        type: 'string',
        pattern: '^\\w{1,48}$',
        errorMessage: 'letters, digits and `_`, 48 at most',
        description: 'Keyspace that holds the tables.',
      },
      create_keyspace: {
        type: 'object',
        additionalProperties: false,
        required: ['replication_factor'],
        description: 'Makes the keyspace where there is none.',
        properties: {
          replication_factor: {
            type: 'integer',
            minimum: 1,
            maximum: 100,
            errorMessage: 'a whole number from 1 to 100',
            description: 'Replicas in each data center.',
          },
        },
      },
      username: {type: 'string', pattern: '\\S', errorMessage: 'a name', description: 'User to log in as.'},
      password: {type: 'string', description: 'Its password; best as ${VARIABLE}.'},
      load_balancing: {
        type: 'object',
        additionalProperties: false,
        required: ['local_dc'],
        description: 'Which nodes are asked.',
        properties: {
          local_dc: {
            type: 'string',
            pattern: '\\S',
            errorMessage: 'the name of a data center',
            default: 'datacenter1',
            description: 'The data center that is near.',
          },
        },
      },
      consistency: {
        type: 'object',
        additionalProperties: false,
        description: 'How many replicas must have answered.',
        properties: {
          read: {
            type: 'string',
            enum: consistencyLevels,
            default: 'LOCAL_ONE',
            description: 'Of a read.',
          },
          write: {
            type: 'string',
            enum: consistencyLevels,
            default: 'LOCAL_QUORUM',
            description: 'Of a write.',
          },
        },
      },
      tls: {
        type: 'object',
        additionalProperties: false,
        description: 'Encrypts connections, and checks the certificate of the server.',
        properties: {
          ca_file: pemFile('Certificates to trust, relative to the repo; those of the system by default.'),
          cert_file: pemFile('Certificate of this client, where the server wants one.'),
          key_file: pemFile('Its private key.'),
        },
      },
    },
  },
  keyspaces: {
    description: 'Amazon Keyspaces (for Apache Cassandra).',
    required: ['region', 'keyspace'],
    properties: {
      region,
      keyspace: {
        type: 'string',
        pattern: '^\\w{1,48}$',
        errorMessage: 'letters, digits and `_`, 48 at most',
        description: 'Keyspace that holds the tables; it must exist.',
      },
      role_arn: roleArn,
      external_id: externalId,
      endpoint: {
        type: 'string',
        pattern: '\\S',
        errorMessage: 'host or host:port',
        description: 'A VPC endpoint; by default the public one of the region.',
      },
      ca_file: pemFile("Certificates to trust, relative to the repo; Amazon's by default."),
      consistency: {
        type: 'object',
        additionalProperties: false,
        description: 'How many replicas must have answered. Writes take LOCAL_QUORUM always.',
        properties: {
          read: {
            type: 'string',
            enum: ['LOCAL_QUORUM', 'LOCAL_ONE', 'ONE'],
            default: 'LOCAL_QUORUM',
            description: 'Of a read; LOCAL_ONE costs half and may miss the newest write.',
          },
        },
      },
    },
  },
}

function pemFile(description: string): Schema {
  return {type: 'string', pattern: '\\S', errorMessage: 'the path of a PEM file', description}
}
