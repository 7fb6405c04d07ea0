import * as Args from '@oclif/core/args'
import type {Definition, DefinitionKind, Definitions} from '../definitions/definition.js'
import {FeatureStoreError} from '../errors.js'

/** Kinds as people type them on the command line. */
export const kindArguments = {
  entities: 'entity',
  'data-sources': 'data_source',
  'feature-views': 'feature_view',
  'feature-services': 'feature_service',
} as const satisfies Record<string, DefinitionKind>

export type KindArgument = keyof typeof kindArguments

/** A kind as an argument: the plural of `kindArguments`, or the singular, with `-` or `_`. */
export const kindArg = Args.custom<KindArgument>({
  parse(text) {
    const wanted = text.toLowerCase().replaceAll('_', '-')
    const found = Object.entries(kindArguments).find(
      ([plural, kind]) => wanted === plural || wanted === kind.replaceAll('_', '-'),
    )
    if (found !== undefined) return Promise.resolve(found[0] as KindArgument)
    throw new FeatureStoreError(
      'FS_ARGUMENT_INVALID',
      `\`${text}\` is no kind of definition. Expected one of: ${Object.keys(kindArguments).join(', ')}.`,
    )
  },
})

export function definitionsOfKind(definitions: Definitions, kind: KindArgument): readonly Definition[] {
  switch (kind) {
    case 'entities':
      return definitions.entities
    case 'data-sources':
      return definitions.dataSources
    case 'feature-views':
      return definitions.featureViews
    case 'feature-services':
      return definitions.featureServices
    default:
      return kind satisfies never
  }
}
