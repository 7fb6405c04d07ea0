import type {Schema} from './check-schema.js'
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
    registry: path(
      'Where applied definitions and the state of loads are kept: a path in the repo.',
      'data/registry.json',
    ),
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
    }),
    materialization: {
      type: 'object',
      description: 'How the online store is loaded.',
      additionalProperties: false,
      default: {rejects_path: 'data/rejects', parallel: 2},
      properties: {
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
