import * as Flags from '@oclif/core/flags'
import {resolve} from 'node:path'
import {BaseCommand} from '../cli/base-command.js'
import {openEntityInput} from '../cli/entity-input.js'
import {featureFlags, featureSelection, instantFlag} from '../cli/flags.js'
import {formatRows} from '../cli/format-number.js'
import {chooseFrameOutput, copyToStdout, frameFormats, showFrame} from '../cli/frame-output.js'
import type {FeatureStore, RetrievalJob} from '../feature-store.js'

interface FrameDocument {
  readonly path?: string
  readonly rows?: number
  readonly columns: readonly {readonly name: string; readonly value_type: string}[]
  readonly sql?: string
}

export default class GetHistoricalFeatures extends BaseCommand {
  static override summary = 'Build a training frame: features as they were at the time of each entity row.'
  static override description = `One row comes out for each entity row, in the same order, with all its columns and then the features: for each, the
newest row of the entity at or before its event time, unless that is older than the view's ttl.

Without --output, a terminal gets the first rows as a table, and a pipe gets the whole frame in --format (CSV unless
said otherwise). Nothing is written to the pipe before the whole frame was computed. A reader must still check the exit
code: a stream that was cut reads as a shorter table.`
  static override examples = [
    '<%= config.bin %> get-historical-features --entities data/loan_table.parquet --feature-service credit_scoring --output training.parquet',
    `echo '{"driver_id": 1001, "event_timestamp": "2024-01-10"}' | <%= config.bin %> get-historical-features --entities - --features driver_hourly_stats:conv_rate,driver_hourly_stats:acc_rate --format json`,
    '<%= config.bin %> get-historical-features --start 2024-01-01 --end 2024-02-01 --features driver_hourly_stats --format arrow > frame.arrows',
    '<%= config.bin %> get-historical-features --entity-sql "select driver_id, event_timestamp from driver_stats" --feature-service driver_activity --sql',
  ]
  static override flags = {
    entities: Flags.string({
      summary: 'Entity rows: a Parquet, CSV, JSON or Arrow file, or `-` for standard input.',
      helpValue: 'FILE|-',
      exclusive: ['entity-sql'],
    }),
    'entity-sql': Flags.string({
      summary: 'Entity rows as SQL over data sources, which it names as tables.',
      helpValue: 'SQL',
    }),
    'timestamp-column': Flags.string({
      default: 'event_timestamp',
      summary: 'Column of the entity rows that holds the event time.',
      helpValue: 'COLUMN',
    }),
    ...featureFlags,
    'as-known-at': instantFlag({
      summary: 'Take only feature rows that were created at or before this time: the same frame next year.',
    }),
    start: instantFlag({
      summary: 'Without entity rows: every feature row after this time …',
      dependsOn: ['end'],
      exclusive: ['entities', 'entity-sql'],
    }),
    end: instantFlag({summary: '… up to and including this time.', dependsOn: ['start']}),
    output: Flags.string({
      char: 'o',
      summary: 'Write the frame to this file, or to s3://bucket/key.',
      helpValue: 'FILE',
    }),
    format: Flags.option({options: frameFormats})({
      summary: "Format of the frame; by default as the file's name ends.",
    }),
    sql: Flags.boolean({summary: 'Print the statement that would run, and do not run it.'}),
  }

  async run(): Promise<FrameDocument | undefined> {
    const {flags} = await this.parse(GetHistoricalFeatures)
    const output = chooseFrameOutput({...flags, json: this.jsonEnabled()})
    return this.withJob(flags, async (job, signal) => {
      const columns = job.columns.map(({name, valueType}) => ({name, value_type: valueType}))
      switch (output.to) {
        case 'sql':
          this.log(job.sql)
          return {sql: job.sql, columns}
        case 'file': {
          const path = /^s3:\/\//i.test(output.path) ? output.path : resolve(output.path)
          const {rows} = await job.writeFile(path, output.format, {signal})
          this.log(`${formatRows(rows)} × ${columns.length} columns in ${output.path}`)
          return {path, rows, columns}
        }
        case 'table':
          this.log(await showFrame(job, signal))
          return undefined
        case 'stdout':
          await copyToStdout(job, output.format, signal)
          return undefined
        default:
          return output satisfies never
      }
    })
  }

  /** Opens the repo, the entity rows and the job for the length of `use`. */
  private async withJob<T>(
    flags: JobFlags,
    use: (job: RetrievalJob, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.withStore(flags, (store) =>
      // From the first on: what was spooled must go, too, when it is stopped.
      this.withInterrupt(async (signal) => {
        const input = flags.entities === undefined ? undefined : await openEntityInput(flags.entities, signal)
        try {
          const job = await openJob(store, flags, input?.path)
          try {
            return await use(job, signal)
          } finally {
            await job[Symbol.asyncDispose]()
          }
        } finally {
          await input?.release()
        }
      }),
    )
  }
}

type JobFlags = Parameters<typeof featureSelection>[0] & {
  readonly chdir?: string | undefined
  readonly entities?: string | undefined
  readonly 'entity-sql'?: string | undefined
  readonly 'timestamp-column': string
  readonly 'as-known-at'?: bigint | undefined
  readonly start?: bigint | undefined
  readonly end?: bigint | undefined
}

function openJob(store: FeatureStore, flags: JobFlags, entities: string | undefined): Promise<RetrievalJob> {
  return store.getHistoricalFeatures({
    ...featureSelection(flags),
    ...(entities === undefined ? {} : {entities}),
    ...(flags['entity-sql'] === undefined ? {} : {entitySql: flags['entity-sql']}),
    timestampColumn: flags['timestamp-column'],
    ...(flags['as-known-at'] === undefined ? {} : {asKnownAt: flags['as-known-at']}),
    ...(flags.start === undefined ? {} : {start: flags.start}),
    ...(flags.end === undefined ? {} : {end: flags.end}),
  })
}
