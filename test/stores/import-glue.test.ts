/** Catalogs of other accounts and roles, as sources and for `fs import glue`; and what is said of them. */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {PutObjectCommand} from '@aws-sdk/client-s3'
import {DuckDBInstance} from '@duckdb/node-api'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {adoptAws, type AdoptedAws} from '../support/adopted-aws.js'
import {GlueTables} from '../support/lake-tables/glue-tables.js'
import {runFs, runFsJson} from '../support/run-fs.js'

const bucket = 'catalogs'
/** Whose all is that the stand-in holds. */
const account = '123456789012'
const roleArn = `arn:aws:iam::${account}:role/lake`
let folder = ''
let aws: AdoptedAws
let glue: GlueTables
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-catalogs-'))
  aws = await adoptAws({bucket})
  glue = await GlueTables.create(aws.url, 'lake')
  const columns = {driver_id: 'bigint', event_timestamp: 'timestamp', rate: 'double'}
  for (const name of ['rides', 'trips']) {
    await writeRow(`${name}/day=2024-01-01/part.parquet`)
    const location = `s3://${bucket}/${name}`
    await glue.table(name, {location, format: 'parquet', columns, keys: {day: 'date'}})
    await glue.partition(name, ['2024-01-01'], `${location}/day=2024-01-01`)
  }
  await glue.table('old', {location: `s3://${bucket}/old`, format: 'orc', columns})
})
afterAll(async () => {
  glue.close()
  await aws.dispose()
  rmSync(folder, {recursive: true, force: true})
})

async function writeRow(Key: string): Promise<void> {
  const file = join(folder, 'row.parquet')
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT 1::BIGINT AS driver_id, TIMESTAMP '2024-01-01 12:00:00' AS event_timestamp, 0.5::DOUBLE AS rate) TO '${file}' (FORMAT parquet)`,
  )
  connection.closeSync()
  instance.closeSync()
  await aws.s3.send(new PutObjectCommand({Bucket: bucket, Key, Body: readFileSync(file)}))
}

/** A repo whose engine has no httpfs. */
function newRepo(definitions?: string): string {
  const directory = mkdtempSync(join(folder, 'repo-'))
  writeFileSync(
    join(directory, 'feature_store.yaml'),
    `project: lake\nregistry: registry.json\noffline_store: {type: duckdb, extension_directory: none}\nonline_store: {type: embedded, path: online}\n`,
  )
  if (definitions !== undefined) writeFileSync(join(directory, 'features.yaml'), definitions)
  return directory
}

/** Whose catalogs were asked, and by which sorts of keys: AKIA… or `test` are a user's, ASIA… an assumed role's. */
async function askedOf(work: () => Promise<unknown>) {
  const before = (await aws.requests()).length
  await work()
  const requests = (await aws.requests()).slice(before)
  const asked = requests.filter(({operation}) => operation.startsWith('Glue.'))
  return {
    operations: [...new Set(asked.map(({operation}) => operation))].toSorted(),
    catalogs: [...new Set(asked.map(({catalogId}) => catalogId))],
    keys: [...new Set(asked.map(({accessKeyId}) => accessKeyId.slice(0, 4)))],
  }
}

describe('fs import glue', () => {
  test('without a table takes all of the database', async () => {
    const cwd = newRepo()
    const {catalogs, keys} = await askedOf(async () => {
      expect(await runFsJson(['import', 'glue', '--database', 'lake'], {cwd})).toEqual({
        written: ['rides.yaml', 'trips.yaml'],
        kept: [],
        skipped: [{table: 'old', reason: "it is ORC, which DuckDB can't read"}],
      })
    })
    expect(catalogs).toEqual([undefined])
    expect(keys).toEqual(['test'])
    expect(readFileSync(join(cwd, 'trips.yaml'), 'utf8')).not.toMatch(/catalog_id|role_arn/)
    expect(await runFs(['plan'], {cwd})).toMatchObject({code: 0})
  })

  test('of the catalog of an account, as a role: what it writes names both, and is read so', async () => {
    const cwd = newRepo()
    const flags = ['--database', 'lake', '--table', 'trips', '--catalog-id', account, '--role-arn', roleArn]
    const imported = await askedOf(() => runFsJson(['import', 'glue', ...flags], {cwd}))
    expect(imported).toEqual({operations: ['Glue.GetTable'], catalogs: [account], keys: ['ASIA']})
    const text = readFileSync(join(cwd, 'trips.yaml'), 'utf8')
    expect(text).toContain(`\ncatalog_id: '${account}'\nrole_arn: ${roleArn}\n`)
    const read = await askedOf(async () => {
      await runFsJson(['apply', '--yes'], {cwd})
      expect(await runFsJson(['materialize-incremental', '2024-02-01'], {cwd})).toMatchObject({
        views: [{name: 'trips', status: 'ok', rows: {written: 1}}],
      })
    })
    const operations = ['Glue.GetPartitions', 'Glue.GetTable']
    expect(read).toEqual({operations, catalogs: [account], keys: ['ASIA']})
  })
})

test('a command that reads many objects says once that httpfs is missing', async () => {
  const sourceAndView = (name: string): string =>
    `---
{kind: data_source, name: ${name}, type: file, path: "s3://${bucket}/${name}/*/*.parquet", timestamp_field: event_timestamp}
---
{kind: feature_view, name: ${name}, entities: [driver], source: ${name}, schema: [{name: rate, dtype: float64}]}
`
  const cwd = newRepo(
    `kind: entity\nname: driver\njoin_keys: [{name: driver_id, value_type: int64}]\n${sourceAndView('rides')}${sourceAndView('trips')}`,
  )
  expect(await runFs(['apply', '--yes'], {cwd})).toMatchObject({code: 0})
  const {code, stdout, stderr} = await runFs(['materialize-incremental', '2024-02-01'], {cwd})
  expect({code, stdout}).toMatchObject({code: 0, stdout: expect.stringContaining('trips') as string})
  expect(stderr.match(/httpfs can't be loaded/g)).toHaveLength(1)
})
