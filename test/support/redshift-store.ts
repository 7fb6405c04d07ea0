/** An offline store on the stand-in for Redshift, and tables of exact values for it to read. */
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import pg from 'pg'
import {openOfflineStore} from '../../src/offline/drivers.js'
import {typeParts, type ScalarType, type ValueType} from '../../src/definitions/value-type.js'
import {formatInstant} from '../../src/definitions/instant.js'
import type {OfflineStoreFixture} from '../conformance/offline-store.js'
import {adoptAws, type AdoptedAws} from './adopted-aws.js'

export interface RedshiftServer extends AsyncDisposable {
  readonly aws: AdoptedAws
  readonly settings: Readonly<Record<string, unknown>>
  /** Straight to the engine behind it. */
  readonly database: pg.Client
  open(): Promise<OfflineStoreFixture>
}

/** Starts one for the tests of a file; the variables of AWS point to it until it is disposed of. */
export async function startRedshift(): Promise<RedshiftServer> {
  const aws = await adoptAws({bucket: 'staging', redshift: true})
  const database = new pg.Client({connectionString: aws.postgresUrl})
  await database.connect()
  const settings = {
    workgroup: 'analytics',
    database: 'dev',
    region: 'us-east-1',
    s3StagingLocation: 's3://staging/fs',
    iamRole: 'arn:aws:iam::123456789012:role/redshift',
  }
  return {
    aws,
    settings,
    database,
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'fs-offline-'))
      const store = await openOfflineStore({type: 'redshift', settings}, {repoDirectory: directory})
      return {
        store,
        directory,
        async writeSource(name, columns, rows, timestampField, createdTimestampColumn) {
          const declared = columns.map((column) => `${quote(column.name)} ${engineType(column.valueType)}`)
          await database.query(`DROP TABLE IF EXISTS ${quote(name)}`)
          await database.query(`CREATE TABLE ${quote(name)} (${declared.join(', ')})`)
          for (const row of rows) {
            const values = columns.map(({valueType}, index) => engineValue(row[index] ?? null, valueType))
            const places = values.map((_, index) => `$${index + 1}`)
            await database.query(`INSERT INTO ${quote(name)} VALUES (${places.join(', ')})`, values)
          }
          return {
            kind: 'data_source',
            name,
            type: 'redshift',
            table: name,
            timestampField,
            ...(createdTimestampColumn === undefined ? {} : {createdTimestampColumn}),
          }
        },
        missingSource: (name) => ({
          kind: 'data_source',
          name,
          type: 'redshift',
          table: name,
          timestampField: 'event_timestamp',
        }),
        async [Symbol.asyncDispose]() {
          await store[Symbol.asyncDispose]()
          await rm(directory, {recursive: true, force: true})
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await database.end()
      await aws.dispose()
    },
  }
}

/** Redshift folds names, also within quotes. */
function quote(name: string): string {
  return `"${name.toLowerCase().replaceAll('"', '""')}"`
}

function engineType(type: ValueType): string {
  const parts = typeParts(type)
  if (parts.kind === 'list' || type === 'json') return 'jsonb'
  if (parts.kind === 'decimal') return `numeric(${parts.precision},${parts.scale})`
  const types: Readonly<Record<string, string>> = {
    string: 'varchar',
    bytes: 'bytea',
    bool: 'bool',
    int32: 'int4',
    int64: 'int8',
    float32: 'float4',
    float64: 'float8',
    timestamp: 'timestamp',
    date: 'date',
  }
  return types[type] ?? ''
}

function engineValue(value: unknown, type: ValueType): unknown {
  if (value === null) return null
  const parts = typeParts(type)
  if (parts.kind === 'list')
    return `[${(value as readonly unknown[]).map((item) => elementText(item, parts.element)).join(',')}]`
  if (type === 'timestamp') return formatInstant(value as bigint)
  if (type === 'bytes') return Buffer.from(value as Uint8Array)
  return typeof value === 'bigint' ? value.toString() : value
}

/** In SUPER: numbers as they are, what JSON has no form for as text, bytes as digits. */
function elementText(value: unknown, type: ScalarType): string {
  if (value === null) return 'null'
  if (type === 'timestamp') return JSON.stringify(formatInstant(value as bigint))
  if (type === 'bytes') return JSON.stringify(Buffer.from(value as Uint8Array).toString('hex'))
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && !Number.isFinite(value)) return JSON.stringify(String(value))
  return JSON.stringify(value)
}
