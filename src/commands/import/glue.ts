import ansis from 'ansis'
import * as Flags from '@oclif/core/flags'
import {BaseCommand} from '../../cli/base-command.js'
import type {ImportedTables} from '../../feature-store.js'

export default class ImportGlue extends BaseCommand {
  static override summary = 'Write sources and views for tables of the AWS Glue Data Catalog.'
  static override description = `One YAML file a table, in the repo. What was guessed (the time, the key) is marked \`# confirm\`. A file that is there is never overwritten.`
  static override examples = [
    '<%= config.bin %> import glue --database lake',
    '<%= config.bin %> import glue --database lake --table driver_stats --table trips',
  ]
  static override flags = {
    database: Flags.string({required: true, summary: 'A database of the catalog.', helpValue: 'NAME'}),
    table: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      summary: 'A table of it; all of them by default. May be given several times.',
      helpValue: 'NAME',
    }),
    'catalog-id': Flags.string({
      summary: 'The account whose catalog it is; that of the credentials by default.',
      helpValue: 'ID',
    }),
    'role-arn': Flags.string({
      summary: 'A role to assume for the catalog and the objects.',
      helpValue: 'ARN',
    }),
  }

  async run(): Promise<ImportedTables> {
    const {flags} = await this.parse(ImportGlue)
    return this.withStore(flags, async (store) => {
      const imported = await store.importGlue({
        database: flags.database,
        tables: flags.table ?? [],
        ...(flags['catalog-id'] === undefined ? {} : {catalogId: flags['catalog-id']}),
        ...(flags['role-arn'] === undefined ? {} : {roleArn: flags['role-arn']}),
      })
      for (const file of imported.written) this.log(`${ansis.green('✓')} ${file}`)
      for (const file of imported.kept) this.log(`- ${file} is there already and stays as it is`)
      for (const {table, reason} of imported.skipped) this.log(`- ${table} is left out: ${reason}`)
      if (imported.written.length > 0)
        this.log('\nConfirm what is marked `# confirm` in these files, then run `fs plan`.')
      return imported
    })
  }
}
