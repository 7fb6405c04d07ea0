import type {Schema} from '../config/check-schema.js'

const durationPattern = '^\\s*(0|\\d{1,18}\\s*(us|ms|s|m|h|d|w))\\s*$'
const durationMessage = 'a duration like 90s, 15m, 2h, 1d or 2w'

const text = (description: string): Schema => ({
  type: 'string',
  pattern: '\\S',
  errorMessage: 'text',
  description,
})

/** A letter or `_`, then letters, digits, `_`; `__` is kept for `view__feature`. */
const featureName = (description: string): Schema => ({
  type: 'string',
  pattern: '^(?!.*__)[A-Za-z_][A-Za-z0-9_]{0,127}$',
  errorMessage:
    'a letter or `_`, then letters, digits or single `_`, 128 at most (`__` joins view and feature)',
  description,
})

const plainName = (description: string): Schema => ({
  type: 'string',
  pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$',
  errorMessage: 'a letter or `_`, then letters, digits or `_`, 128 at most',
  description,
})

const texts = (description: string): Schema => ({
  type: 'object',
  description,
  additionalProperties: {type: 'string'},
})

const documentation: Readonly<Record<string, Schema>> = {
  description: {type: 'string', description: 'What it is, for people.'},
  owner: {type: 'string', description: 'Who answers for it.'},
  tags: texts('Free labels.'),
}

const valueType: Schema = {
  type: 'string',
  format: 'fs-value-type',
  description:
    'string, bytes, bool, int32, int64, float32, float64, decimal(p,s), timestamp, date, json or list<T>.',
}

const keyType: Schema = {
  type: 'string',
  format: 'fs-key-type',
  description: 'string, bytes, bool, int32, int64, timestamp or date.',
}

const duration = (description: string): Schema => ({
  description,
  errorMessage: durationMessage,
  oneOf: [
    {type: 'string', pattern: durationPattern, format: 'fs-duration', errorMessage: durationMessage},
    {type: 'integer', minimum: 0, maximum: 0, errorMessage: `${durationMessage}, or 0`},
  ],
})

const entity = definition('entity', 'The thing that features describe.', ['join_keys'], {
  name: plainName('Name of the entity.'),
  join_keys: {
    type: 'array',
    minItems: 1,
    description: 'The columns that identify it, in order.',
    items: {
      errorMessage: 'a name, or a block of name and value_type',
      oneOf: [
        plainName('Name of the column; its type is `value_type` of the entity.'),
        {
          type: 'object',
          additionalProperties: false,
          required: ['name'],
          properties: {name: plainName('Name of the column.'), value_type: keyType},
        },
      ],
    },
  },
  value_type: keyType,
})

const sourceColumns: Readonly<Record<string, Schema>> = {
  timestamp_field: text('Column of the event time.'),
  created_timestamp_column: text(
    'Column of the time a row became known; decides between rows of one event time.',
  ),
  field_mapping: texts('Column in the source: name used in definitions.'),
}

/** The settings of every type of source. Whoever adds a type adds its entry here. */
const sourceTypes: Readonly<
  Record<string, {readonly required: readonly string[]; readonly properties: Schema['properties']}>
> = {
  file: {
    required: ['path'],
    properties: {
      path: text('A file, a glob or a folder, relative to the repo.'),
      format: {
        type: 'string',
        enum: ['parquet', 'csv', 'json'],
        description: "Told by the file's ending by default.",
      },
    },
  },
  duckdb: {
    required: ['path'],
    properties: {
      path: text('A DuckDB database file, relative to the repo.'),
      table: text('A table in it; this or `query`.'),
      query: text('A query in it; this or `table`.'),
    },
  },
  redshift: {
    required: [],
    properties: {
      table: text('A table, a view or an external table; this or `query`.'),
      schema: text("Its schema; the user's search path decides by default."),
      database: text("Its database; the offline store's by default."),
      query: text('A query; this or `table`.'),
    },
  },
  query: {
    required: ['query'],
    properties: {query: text('SQL over other sources, named as tables.')},
  },
  delta: {
    required: ['path'],
    properties: {
      path: text('The folder of a Delta Lake table, relative to the repo.'),
      version: {
        type: 'integer',
        minimum: 0,
        description: 'The version to read; the newest when a run begins by default.',
      },
    },
  },
  iceberg: {
    required: ['path'],
    properties: {
      path: text(
        'The folder of an Apache Iceberg table, or one of its metadata files, relative to the repo.',
      ),
      snapshot_id: {
        type: 'string',
        pattern: '^\\d{1,19}$',
        errorMessage: "digits in quotes, such as '8744736658442914487' (a number would lose its last digits)",
        description: 'The snapshot to read; the current one when a run begins by default.',
      },
    },
  },
  glue: {
    required: ['database', 'table'],
    properties: {
      database: text('A database of the AWS Glue Data Catalog.'),
      table: text('A table in it.'),
      partitioned_by: {
        enum: ['event_time'],
        description:
          'That the days of its partitions are those of the event times in them: then a load reads those of its interval alone.',
      },
      catalog_id: {
        type: 'string',
        pattern: '\\S',
        errorMessage: 'the number of an account, in quotes',
        description: 'The account whose catalog it is; that of the credentials by default.',
      },
      role_arn: text('A role to assume for the catalog, and for the objects of the table.'),
    },
  },
}

const sources = Object.entries(sourceTypes).map(([type, {required, properties}]) =>
  definition('data_source', 'Where rows of features come from.', [...required, 'timestamp_field'], {
    type: {const: type, description: 'Type of the source.'},
    name: plainName('Name of the source.'),
    ...properties,
    ...sourceColumns,
  }),
)

const featureView = definition(
  'feature_view',
  'Features of an entity from one source.',
  ['entities', 'source'],
  {
    name: featureName('Name of the view.'),
    entities: {
      type: 'array',
      minItems: 1,
      description: 'Names of entities; their join keys are the key of the view.',
      items: text('Name of an entity.'),
    },
    source: text('Name of a data source.'),
    ttl: duration('How long a value may be served after its event time; absent or 0: for ever.'),
    schema: {
      type: 'array',
      minItems: 1,
      description: 'The features; taken from the source when absent.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'dtype'],
        properties: {name: featureName('Column of the source.'), dtype: valueType, ...documentation},
      },
    },
    online: {type: 'boolean', description: 'Whether it is loaded into the online store; true by default.'},
    lateness: duration('How much before the watermark each incremental run reads again.'),
    knowledge_time: {
      type: 'boolean',
      description: "Training frames see only rows already created at the entity row's time.",
    },
    sync: {
      type: 'string',
      enum: ['append', 'snapshot'],
      description:
        '`snapshot`: the source is the whole truth at each run, and what is gone from it is deleted online; `append` by default.',
    },
  },
)

const featureService = definition('feature_service', 'The features that one model reads.', ['features'], {
  name: plainName('Name of the service.'),
  features: {
    type: 'array',
    minItems: 1,
    description: 'Views, or parts of views.',
    items: {
      errorMessage: 'the name of a view, or a block with `view`',
      oneOf: [
        text('Name of a view: all its features.'),
        {
          type: 'object',
          additionalProperties: false,
          required: ['view'],
          properties: {
            view: text('Name of a view.'),
            name: featureName('Name the view goes by in results.'),
            features: {
              type: 'array',
              minItems: 1,
              description: 'Some of its features; all by default.',
              items: {
                errorMessage: 'the name of a feature, or a block of name and alias',
                oneOf: [
                  text('Name of a feature.'),
                  {
                    type: 'object',
                    additionalProperties: false,
                    required: ['name'],
                    properties: {
                      name: text('Name of a feature.'),
                      alias: featureName('Name it goes by in results.'),
                    },
                  },
                ],
              },
            },
            join_key_map: texts("The view's join key: column of the entity rows that holds it."),
          },
        },
      ],
    },
  },
})

/** What a document of the other YAML files may hold; `schemas/definitions.schema.json` is written from it. */
export const definitionSchemas: Readonly<Record<string, Schema>> = {
  entity,
  data_source: {type: 'object', oneOf: sources},
  feature_view: featureView,
  feature_service: featureService,
}

function definition(
  kind: string,
  description: string,
  required: readonly string[],
  properties: Schema['properties'],
): Schema {
  return {
    type: 'object',
    description,
    additionalProperties: false,
    required: ['kind', 'name', ...required],
    properties: {...properties, kind: {const: kind, description: 'Kind of definition.'}, ...documentation},
  }
}
