import {chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import type {FaultRule} from '../../scripts/services/aws/fault-rules.mjs'
import {installDuckDbExtensions} from '../../scripts/services/duckdb-extensions.mjs'
import {freePorts} from './free-ports.js'
import {PostgresServer} from './postgres-server.js'
import {spawnTied} from './spawn-tied.js'

const script = fileURLToPath(new URL('../../scripts/services/aws/aws-stand-in.mjs', import.meta.url))
const startMillis = 60_000

/** An AWS of one's own on loopback: S3, Glue, STS and IAM are empty in the beginning. */
export interface AwsStandIn extends AsyncDisposable {
  readonly url: string
  /** The database `dev` of Redshift as the PostgreSQL that it really is, for what a test makes and looks at itself. */
  readonly postgresUrl: string
  /** What the SDK, and so `fs`, finds it by. */
  readonly environment: Readonly<Record<string, string>>
  /** Faults that are to come, each to the next requests that it fits. Those asked for before stay in front. */
  faults(rules: readonly Readonly<FaultRule>[]): Promise<void>
  /** Forgets the faults that did not come. */
  heal(): Promise<void>
  /** How often each operation was asked for, by `S3.PutObject`, `Glue.GetTable`, `RedshiftData.ExecuteStatement`. */
  calls(): Promise<Readonly<Record<string, number>>>
  /** The newest requests, by whose key each was signed, and of Glue whose catalog was named. */
  requests(): Promise<
    readonly {
      readonly operation: string
      readonly url: string
      readonly accessKeyId: string
      readonly catalogId?: string
    }[]
  >
  /** What Redshift was told, in that order. */
  statements(): Promise<readonly string[]>
  dispose(): Promise<void>
}

/** Starts one that ends with the test, or with this process however that ends. `redshift: false`: without, and so a second earlier. */
export async function startAws({redshift = true}: {readonly redshift?: boolean} = {}): Promise<AwsStandIn> {
  const postgres = redshift ? await PostgresServer.start() : undefined
  try {
    return await start(postgres)
  } catch (error) {
    await postgres?.[Symbol.asyncDispose]()
    throw error
  }
}

async function start(postgres: PostgresServer | undefined): Promise<AwsStandIn> {
  const [port] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const folder = mkdtempSync(join(tmpdir(), 'fs-aws-'))
  // PostgreSQL, which is another user's, writes and reads what lies in it.
  chmodSync(folder, 0o755)
  const logFile = join(folder, 'log')
  const log = openSync(logFile, 'a')
  const child = spawnTied(
    process.execPath,
    [script, String(port), folder, ...(postgres === undefined ? [] : [postgres.url()])],
    log,
  )
  closeSync(log)
  const dispose = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.stdin?.end()
    if (child.exitCode === null) await ended
    await postgres?.[Symbol.asyncDispose]()
    rmSync(folder, {recursive: true, force: true})
  }
  const ask = async <Answer>(method: string, name: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}/_stand-in/${name}`, {
      method,
      ...(body === undefined ? {} : {body: JSON.stringify(body)}),
    })
    if (!response.ok) throw new Error(`${name}: ${await response.text()}`)
    return (await response.json()) as Answer
  }
  const deadline = performance.now() + startMillis
  for (;;) {
    const isUp = await ask('GET', 'health').then(
      () => true,
      () => false,
    )
    if (isUp) break
    if (child.exitCode !== null || performance.now() > deadline) {
      const said = readFileSync(logFile, 'utf8')
      await dispose()
      throw new Error(`The stand-in for AWS does not start: ${said}`)
    }
    await sleep(50)
  }
  return {
    url,
    postgresUrl: postgres?.url('dev') ?? '',
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    faults: async (rules) => {
      await ask('POST', 'faults', rules)
    },
    heal: async () => {
      await ask('DELETE', 'faults')
    },
    calls: () => ask('GET', 'calls'),
    requests: () => ask('GET', 'requests'),
    statements: () => ask('GET', 'statements'),
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

/** What DuckDB's setting `extension_directory` takes, with httpfs, aws, avro, iceberg and delta in it. */
export function duckDbExtensions(): string {
  return installDuckDbExtensions()
}
