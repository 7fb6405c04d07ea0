import type {Schema} from './check-schema.js'
import {registrySchema} from './registry-schema.js'
import {offlineStoreSettings, onlineStoreSettings, type StoreSettings} from './store-settings.js'

const path = (description: string, fallback: string): Schema => ({
  type: 'string',
  pattern: '\\S',
  errorMessage: 'a path',
  description,
  default: fallback,
})

/** What feature_store.yaml may hold; `schemas/feature-store.schema.json` is written from it. */
export const featureStoreSchema: Schema = {
  description: 'The settings of a feature repo.',
  type: 'object',
  additionalProperties: false,
  required: ['project'],
  properties: {
    project: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$',
      errorMessage: 'a letter, then letters, digits, `_` or `-`, 64 at most',
      description: 'Name of the project. Keeps what several projects put into one store apart.',
    },
    registry: registrySchema,
    offline_store: storeBlock('Computes training frames and the newest rows.', offlineStoreSettings, {}),
    online_store: storeBlock('Serves the newest values.', onlineStoreSettings, {
      expire_after: {
        type: 'string',
        format: 'fs-duration',
        pattern: '^\\s*(0|\\d{1,18}\\s*(us|ms|s|m|h|d|w))\\s*$',
        errorMessage: 'a duration like 90s, 15m, 2h, 1d or 2w',
        default: '1d',
        description: "How long after its ttl a row's space may be reclaimed.",
      },
      write: {
        type: 'object',
        additionalProperties: false,
        description: 'How loads write to a store that is a server.',
        default: {},
        properties: {
          pacing: {
            type: 'string',
            enum: ['adaptive', 'static'],
            default: 'adaptive',
            description: 'Follow what the store bears within the limits, or use the limits as they are.',
          },
          max_writes_per_second: {
            type: 'integer',
            minimum: 1,
            errorMessage: 'a whole number of rows, 1 or more',
            description: 'Rows a second at most; no limit by default.',
          },
          max_concurrency: {
            type: 'integer',
            minimum: 1,
            maximum: 4096,
            errorMessage: 'a whole number from 1 to 4096',
            default: 256,
            description: 'Requests that wait for an answer at once, at most.',
          },
          latency_target_ms: {
            type: 'number',
            minimum: 0.1,
            errorMessage: 'a number of milliseconds above 0',
            default: 25,
            description:
              'Adaptive pacing yields while one in a hundred reads of the store takes longer than this.',
          },
          max_concurrent_runs: {
            type: 'integer',
            minimum: 1,
            maximum: 1000,
            errorMessage: 'a whole number from 1 to 1000',
            default: 2,
            description: 'Runs that write to the store at once, from any machine; others wait.',
          },
          lock_timeout: {
            type: 'string',
            format: 'fs-duration',
            pattern: '^\\s*(0|\\d{1,18}\\s*(us|ms|s|m|h|d|w))\\s*$',
            errorMessage: 'a duration like 90s, 15m, 2h, 1d or 2w',
            default: '30m',
            description: 'How long a run waits for its turn to write.',
          },
        },
      },
    }),
    materialization: {
      type: 'object',
      description: 'How the online store is loaded.',
      additionalProperties: false,
      default: {rejects_path: 'data/rejects', snapshots_path: 'data/snapshots', parallel: 2},
      properties: {
        snapshots_path: path(
          'Folder for what views with `sync: snapshot` are compared with, relative to the repo. Keep it with the registry.',
          'data/snapshots',
        ),
        rejects_path: path('Folder for rejected rows, relative to the repo.', 'data/rejects'),
        parallel: {
          type: 'integer',
          minimum: 1,
          maximum: 64,
          errorMessage: 'a whole number from 1 to 64',
          default: 2,
          description: 'Views loaded side by side.',
        },
      },
    },
  },
}

function storeBlock(
  description: string,
  stores: Readonly<Record<string, StoreSettings>>,
  shared: Readonly<Record<string, Schema>>,
): Schema {
  const [defaultType] = Object.keys(stores)
  return {
    description,
    type: 'object',
    default: {type: defaultType},
    oneOf: Object.entries(stores).map(([type, store]) => ({
      type: 'object',
      description: store.description,
      additionalProperties: false,
      properties: {
        type: {
          const: type,
          description: 'Type of the store.',
          ...(type === defaultType ? {default: type} : {}),
        },
        ...store.properties,
        ...shared,
      },
      ...(store.required === undefined ? {} : {required: store.required}),
    })),
  }
}
