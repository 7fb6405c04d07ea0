import {BaseCommand} from '../cli/base-command.js'
import {definitionsOfKind, kindArg} from '../cli/definition-kinds.js'
import {renderTable} from '../cli/render-table.js'
import type {DataSource, Definition} from '../definitions/definition.js'
import {formatDuration} from '../definitions/duration.js'
import {formatDefinition, type PlainDefinition} from '../definitions/snake-case.js'

export default class List extends BaseCommand {
  static override summary = 'List what is registered.'
  static override examples = [
    '<%= config.bin %> list feature-views',
    '<%= config.bin %> list entities --json',
  ]
  static override args = {
    kind: kindArg({
      required: true,
      description: 'entities, data-sources, feature-views or feature-services.',
    }),
  }

  async run(): Promise<Readonly<Record<string, readonly PlainDefinition[]>>> {
    const {args, flags} = await this.parse(List)
    return this.withStore(flags, async (store) => {
      const {kind} = args
      const definitions = definitionsOfKind(await store.definitions(), kind)
      this.log(
        definitions.length === 0
          ? `No ${kind} are registered.`
          : renderTable(['NAME', 'SUMMARY', 'DESCRIPTION'], definitions.map(row)),
      )
      return {[kind.replace('-', '_')]: definitions.map(formatDefinition)}
    })
  }
}

function row(definition: Definition): string[] {
  return [definition.name, summary(definition), definition.description ?? '']
}

function sourceSummary(source: DataSource): string {
  switch (source.type) {
    case 'query':
      return 'query'
    case 'redshift':
      return source.table === undefined
        ? 'redshift query'
        : `redshift ${[source.database, source.schema, source.table].filter(Boolean).join('.')}`
    case 'glue':
      return `glue ${source.database}.${source.table}`
    case 'delta':
      return `delta ${source.path}${source.version === undefined ? '' : ` version ${source.version}`}`
    case 'iceberg':
      return `iceberg ${source.path}${source.snapshotId === undefined ? '' : ` snapshot ${source.snapshotId}`}`
    default:
      return `${source.type} ${source.path}`
  }
}

function summary(definition: Definition): string {
  switch (definition.kind) {
    case 'entity':
      return definition.joinKeys.map((key) => `${key.name} ${key.valueType}`).join(', ')
    case 'data_source':
      return sourceSummary(definition)
    case 'feature_view': {
      const ttl = definition.ttl === undefined ? 'no ttl' : `ttl ${formatDuration(definition.ttl)}`
      return `${definition.schema.length} features of ${definition.entities.join(', ')}, ${ttl}`
    }
    case 'feature_service':
      return definition.features.map((projection) => projection.name ?? projection.view).join(', ')
    default:
      return definition satisfies never
  }
}
