import * as Args from '@oclif/core/args'
import {stringify} from 'yaml'
import {BaseCommand} from '../cli/base-command.js'
import {definitionsOfKind, kindArg, kindArguments} from '../cli/definition-kinds.js'
import {formatDefinition, type PlainDefinition} from '../definitions/snake-case.js'
import {FeatureStoreError} from '../errors.js'

export default class Describe extends BaseCommand {
  static override summary = 'Show one registered definition in full, as YAML.'
  static override examples = ['<%= config.bin %> describe feature-views driver_hourly_stats']
  static override args = {
    kind: kindArg({
      required: true,
      description: 'entities, data-sources, feature-views or feature-services.',
    }),
    name: Args.string({required: true, description: 'Its name.'}),
  }

  async run(): Promise<PlainDefinition> {
    const {args, flags} = await this.parse(Describe)
    return this.withStore(flags, async (store) => {
      const {kind} = args
      const known = definitionsOfKind(await store.definitions(), kind)
      const definition = known.find((one) => one.name === args.name)
      if (definition === undefined) {
        throw new FeatureStoreError(
          'FS_DEFINITION_UNKNOWN',
          `No ${kindArguments[kind]} \`${args.name}\` is registered. Expected one of: ${known.map((one) => one.name).join(', ') || 'none yet'}.`,
          {hint: `Run \`fs list ${kind}\`; \`fs apply\` registers what the repo defines.`},
        )
      }
      const plain = formatDefinition(definition)
      this.log(stringify(plain).trimEnd())
      return plain
    })
  }
}
