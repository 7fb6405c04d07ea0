import {DuckDBInstance} from '@duckdb/node-api'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {realFiles} from '../support/real-files.js'
import {projectRoot, runFs, runFsJson} from '../support/run-fs.js'

const now = '2021-09-01T00:00:00Z'
const features = [
  'city',
  'state',
  'location_type',
  'tax_returns_filed',
  'population',
  'total_wages',
  'credit_card_due',
  'mortgage_due',
  'student_loan_due',
  'vehicle_loan_due',
  'hard_pulls',
  'missed_payments_2y',
  'missed_payments_1y',
  'missed_payments_6m',
  'bankruptcies',
]

describe('the example on the real files', () => {
  if (realFiles === undefined)
    throw new Error('vitest.config.ts leaves this file out where the files are not there')
  triedOn(realFiles)
})

function triedOn(data: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'fs-real-'))
  const repo = join(folder, 'scoring')
  const file = (name: string): string => `'${data.replaceAll("'", "''")}/${name}.parquet'`
  const loans = join(data, 'loan_table.parquet')
  const query = openQuery()

  beforeAll(async () => {
    mkdirSync(repo)
    for (const name of ['feature_store.yaml', 'zipcode.yaml', 'credit.ts', 'sources.ts']) {
      const text = readFileSync(join(projectRoot, 'feature_repo_example', name), 'utf8')
      writeFileSync(join(repo, name), text.replaceAll(/data\/(?=\w+\.parquet)/g, `${data}/`))
    }
    expect(await runFs(['apply', '--yes', '-C', repo])).toMatchObject({code: 0})
  })
  afterAll(async () => {
    await query.close()
    rmSync(folder, {recursive: true, force: true})
  })

  test('loads each newest row once', async () => {
    const run = await runFsJson(['materialize-incremental', '--now', now, '-C', repo])
    const [{zipcodes, people}] = (await query.rows(`
      SELECT (SELECT count(DISTINCT zipcode) FROM ${file('zipcode_table')})::INTEGER AS zipcodes,
        (SELECT count(DISTINCT dob_ssn) FROM ${file('credit_history')}
         WHERE event_timestamp BETWEEN TIMESTAMP '2021-09-01' - INTERVAL 90 DAY AND TIMESTAMP '2021-09-01'
        )::INTEGER AS people`)) as [{zipcodes: number; people: number}]
    const views = run['views'] as {name: string; status: string; rows: Record<string, number>}[]
    expect(views.toSorted((a, b) => a.name.localeCompare(b.name))).toMatchObject([
      {name: 'credit_history', status: 'ok', rows: {rejected: 0, written: people}},
      {name: 'zipcode_features', status: 'ok', rows: {rejected: 0, written: zipcodes}},
    ])

    const again = await runFsJson(['materialize-incremental', '--now', now, '-C', repo])
    for (const {rows} of again['views'] as typeof views) expect(rows).toMatchObject({written: 0, rejected: 0})
  })

  test('joins every loan with what was known at its time', async () => {
    const output = join(folder, 'training.parquet')
    const frame = await runFsJson([
      'get-historical-features',
      '--entities',
      loans,
      '--feature-service',
      'credit_scoring',
      '--output',
      output,
      '-C',
      repo,
    ])
    const [{count}] = (await query.rows(`SELECT count(*)::INTEGER AS count FROM ${file('loan_table')}`)) as [
      {count: number},
    ]
    expect(frame).toMatchObject({path: output, rows: count})
    expect(await query.rows(`SELECT loan_id FROM '${output}'`)).toEqual(
      await query.rows(`SELECT loan_id FROM ${file('loan_table')}`),
    )
    // The plain reading: every pair of a loan and a row that is not in its future, the best of them by window. Where
    // rows tie to the last created time any of them will do here, since the files hold no such tie.
    const list = features.join(', ')
    const expected = `
      SELECT loan_id, ${list}
      FROM ${file('loan_table')} AS loan
      LEFT JOIN (
        SELECT loan_id, place.* FROM ${file('loan_table')} AS loan JOIN ${file('zipcode_table')} AS place
          ON place.zipcode = loan.zipcode AND place.event_timestamp <= loan.event_timestamp
        QUALIFY row_number() OVER (
          PARTITION BY loan_id ORDER BY place.event_timestamp DESC, place.created_timestamp DESC) = 1
      ) AS place USING (loan_id)
      LEFT JOIN (
        SELECT loan_id, report.* FROM ${file('loan_table')} AS loan JOIN ${file('credit_history')} AS report
          ON report.dob_ssn = loan.dob_ssn AND report.event_timestamp <= loan.event_timestamp
          AND report.event_timestamp >= loan.event_timestamp - INTERVAL 2160 HOUR
        QUALIFY row_number() OVER (
          PARTITION BY loan_id ORDER BY report.event_timestamp DESC, report.created_timestamp DESC) = 1
      ) AS report USING (loan_id)`
    const actual = `SELECT loan_id, ${list} FROM '${output}'`
    const [difference] = await query.rows(`
      SELECT count(*)::INTEGER AS rows
      FROM ((${expected} EXCEPT ALL ${actual}) UNION ALL (${actual} EXCEPT ALL ${expected}))`)
    expect(difference).toEqual({rows: 0})
  })

  test('reads online what was loaded', async () => {
    const answer = (await runFsJson([
      'get-online-features',
      '--entity',
      'zipcode=76104,dob_ssn=19530219_5179',
      '--feature-service',
      'credit_scoring',
      '--now',
      now,
      '-C',
      repo,
    ])) as {metadata: {feature_names: string[]}; results: {values: unknown[]; statuses: string[]}[]}
    const [newest] = await query.rows(`
      SELECT city, total_wages::DOUBLE AS total_wages, credit_card_due::DOUBLE AS credit_card_due,
        missed_payments_1y::DOUBLE AS missed_payments_1y
      FROM (FROM ${file('zipcode_table')} WHERE zipcode = 76104 ORDER BY event_timestamp DESC LIMIT 1),
        (SELECT * FROM ${file('credit_history')} WHERE dob_ssn = '19530219_5179'
          AND event_timestamp <= TIMESTAMP '2021-09-01' ORDER BY event_timestamp DESC, created_timestamp DESC LIMIT 1)`)
    expect(newest).toBeDefined()
    for (const [name, value] of Object.entries(newest ?? {})) {
      const result = answer.results[answer.metadata.feature_names.indexOf(name)]
      expect(result, name).toMatchObject({values: [value], statuses: ['PRESENT']})
    }
  })
}

function openQuery(): {
  rows(sql: string): Promise<readonly Record<string, unknown>[]>
  close(): Promise<void>
} {
  const opened = (async () => {
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run("SET TimeZone = 'UTC'")
    return {instance, connection}
  })()
  return {
    rows: async (sql) => (await (await opened).connection.runAndReadAll(sql)).getRowObjectsJS(),
    close: async () => {
      const {instance, connection} = await opened
      connection.closeSync()
      instance.closeSync()
    },
  }
}
