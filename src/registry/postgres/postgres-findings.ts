import {clockFinding, type Finding} from '../../examination.js'

/** What one row of answers about the server and the user says. */
export function* findingsOf(
  row: Readonly<Record<string, unknown>>,
  {
    asked,
    answered,
    isOnLoopback,
  }: {readonly asked: number; readonly answered: number; readonly isOnLoopback: boolean},
): Generator<Finding> {
  const [version = ''] = /^PostgreSQL [\d.]+/.exec(String(row['version'])) ?? []
  yield {name: 'version', status: 'ok', detail: version}
  yield clockFinding(Number(row['now']), [asked, answered])
  if (row['is_encrypted'] === true || isOnLoopback) {
    const detail = row['is_encrypted'] === true ? 'TLS' : 'none, on this machine'
    yield {name: 'encryption', status: 'ok', detail}
  } else {
    yield {
      name: 'encryption',
      status: 'warning',
      detail: 'none: definitions and password go over the network in the clear',
      remedy: 'Add sslmode=verify-full to the URL of `registry`.',
    }
  }
  const user = `user ${String(row['user'])}`
  if (row['is_standby'] === true) {
    yield {
      name: 'writable',
      status: 'failed',
      detail: 'this server is a standby, which takes no writes',
      remedy: 'Name the primary server in the URL of `registry`.',
    }
  } else if (row['may_write'] === true) {
    yield {name: 'writable', status: 'ok', detail: `by ${user}, in schema ${String(row['schema'])}`}
  } else {
    yield {
      name: 'writable',
      status: 'failed',
      detail: `${user} may not write feature_store_registry, or not make it`,
      remedy:
        'Let the user create tables in its schema, or make the table and grant SELECT, INSERT, UPDATE, DELETE on it.',
    }
  }
}
