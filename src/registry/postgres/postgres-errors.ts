/** What a failure of PostgreSQL means: https://www.postgresql.org/docs/current/errcodes-appendix.html */

/** A table that does not exist. */
export function isMissingTable(error: unknown): boolean {
  return codeOf(error) === '42P01'
}

/**
 * Whether the same may succeed in a moment: the connection broke or was refused, the server restarts, fails over or has no
 * connection left, or two transactions got in each other's way. What was asked for may have been done all the same.
 */
export function mayPass(error: unknown): boolean {
  const code = codeOf(error)
  if (code === undefined) return /terminated|timeout|not queryable/i.test(messageOf(error))
  return /^(08...|57014|57P0[1-4]|53300|40001|40P01|25006)$/.test(code) || passingSystemErrors.has(code)
}

const passingSystemErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
])

/** Why, in words that go after a colon, and what to do. */
export function reasonOf(error: unknown): {readonly reason: string; readonly hint: string} {
  const code = codeOf(error)
  const reason = messageOf(error).replace(/\.$/, '')
  const hint = hints.find(([pattern]) => pattern.test(code ?? ''))?.[1]
  if (hint !== undefined) return {reason, hint}
  if (/SSL|certificate|TLS/i.test(reason) || code?.startsWith('ERR_TLS') === true)
    return {reason, hint: 'Check `sslmode` and `sslrootcert` in the URL of `registry`.'}
  return {reason, hint: 'Check `registry` in feature_store.yaml, and that the server is up.'}
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/^28/, 'Check the user and the password: in the URL, in PGPASSWORD, or in ~/.pgpass.'],
  [/^3D000$/, 'Create the database, or name another one in the URL of `registry`.'],
  [
    /^(42501|3F000)$/,
    'Let the user create tables in the first schema of its search_path, or create the table feature_store_registry for it.',
  ],
  [/^(25006|57P04)$/, 'Name the primary server in the URL of `registry`: this one takes no writes.'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'Check the host in the URL of `registry`.'],
]

function codeOf(error: unknown): string | undefined {
  const code = (error as {readonly code?: unknown} | undefined)?.code
  return typeof code === 'string' ? code : firstOf(error)
}

/** A host with several addresses fails with an error for each. */
function firstOf(error: unknown): string | undefined {
  return error instanceof AggregateError && error.errors.length > 0 ? codeOf(error.errors[0]) : undefined
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return messageOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
