import {
  DescribeStatementCommand,
  ExecuteStatementCommand,
  paginateGetStatementResult,
  type DescribeStatementResponse,
  type ExecuteStatementCommandInput,
  RedshiftDataClient,
  type Field,
} from '@aws-sdk/client-redshift-data'
import {S3Client} from '@aws-sdk/client-s3'

/** Where statements run in the stand-in, unless they name a session. */
export const workgroup = {WorkgroupName: 'features', Database: 'dev'}

/** Clients of a stand-in. */
export function redshiftClients(endpoint: string): {
  readonly redshift: RedshiftDataClient
  readonly s3: S3Client
} {
  const credentials = {accessKeyId: 'test', secretAccessKey: 'test'}
  const settings = {endpoint, region: 'us-east-1', credentials}
  return {redshift: new RedshiftDataClient(settings), s3: new S3Client({...settings, forcePathStyle: true})}
}

/** A statement's end, waited for without polling. */
export async function runStatement(
  client: RedshiftDataClient,
  Sql: string,
  more: Partial<ExecuteStatementCommandInput> = {},
): Promise<DescribeStatementResponse & {readonly Id: string}> {
  const origin = more.SessionId === undefined ? workgroup : {}
  const {Id} = await client.send(new ExecuteStatementCommand({Sql, ...origin, ...more}))
  for (;;) {
    const described = await client.send(new DescribeStatementCommand({Id: Id!, WaitTimeSeconds: 20}))
    if (['FINISHED', 'FAILED', 'ABORTED'].includes(described.Status!)) return {...described, Id: Id!}
  }
}

/** The rows of a query, each value as the Data API gives it. Throws with the engine's message. */
export async function rowsOf(
  client: RedshiftDataClient,
  sql: string,
): Promise<readonly (readonly unknown[])[]> {
  const {Id, Status, Error: message} = await runStatement(client, sql)
  if (Status !== 'FINISHED') throw new Error(message ?? Status)
  const rows: unknown[][] = []
  for await (const {Records} of paginateGetStatementResult({client}, {Id}))
    rows.push(...Records!.map((record) => record.map(valueOf)))
  return rows
}

function valueOf(field: Field): unknown {
  return field.isNull === true
    ? null
    : (field.longValue ?? field.doubleValue ?? field.booleanValue ?? field.stringValue ?? field.blobValue)
}
