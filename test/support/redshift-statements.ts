import {
  DescribeStatementCommand,
  ExecuteStatementCommand,
  paginateGetStatementResult,
  type DescribeStatementResponse,
  type ExecuteStatementCommandInput,
  type Field,
  type RedshiftDataClient,
} from '@aws-sdk/client-redshift-data'

/** Where statements run in the stand-in, unless they name a session. */
export const workgroup = {WorkgroupName: 'features', Database: 'dev'}

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
