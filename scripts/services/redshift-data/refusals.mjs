/** What PostgreSQL takes and Redshift does not: https://docs.aws.amazon.com/redshift/latest/dg/c_redshift-and-postgres-sql.html */
import {readFileSync} from 'node:fs'
import {closing, is, meaningful} from './tokens.mjs'

const functions = new Set(
  readFileSync(new URL('functions.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .flatMap((line) => line.split(' ')),
)

/** Words that a parenthesis may follow without a call. */
const beforeParentheses = new Set(
  (
    'all and any as between by case char character varying varchar nchar nvarchar bpchar numeric decimal distkey else except exists ' +
    'from group having in intersect into is join like limit minus not on or over partition qualify select set some sortkey table then ' +
    'time timestamp union unique using values varbyte when where with foreign key references precision if ilike to key float within'
  ).split(' '),
)

/** Words that may follow a table, and so are no name of it. */
const afterTables =
  'cross except full group having inner intersect join left limit minus natural on order qualify right union using where'.split(
    ' ',
  )

/** Read by the leader node only, so never beside a table. */
const ofLeader = [
  'now',
  'current_timestamp',
  'current_time',
  'localtime',
  'localtimestamp',
  'generate_series',
  'age',
]
const missingTypes =
  'bytea json jsonb uuid serial bigserial smallserial money xml inet cidr hstore tsvector regclass int4range tstzrange bit'.split(
    ' ',
  )
const ranking = 'row_number rank dense_rank percent_rank cume_dist ntile lag lead'.split(' ')

/** Each looks at the tokens from an index on, and says what is wrong there. */
const checks = [
  (at) => is(at(0), 'distinct') && is(at(1), 'on') && is(at(2), '(') && 'DISTINCT ON',
  (at) => is(at(-1), ')') && is(at(0), 'filter') && is(at(1), '(') && 'FILTER of an aggregate',
  (at) => is(at(0), 'lateral') && 'LATERAL',
  (at) => is(at(0), 'distinct') && is(at(1), 'from') && is(at(-1), 'is', 'not') && 'IS DISTINCT FROM',
  (at) =>
    is(at(0), 'range', 'groups') && is(at(1), 'between', 'unbounded', 'current') && 'a frame other than ROWS',
  (at) => is(at(0), 'materialized') && is(at(-1), 'as', 'not') && is(at(1), '(') && 'MATERIALIZED of WITH',
  (at) => is(at(0), 'conflict') && is(at(-1), 'on') && 'ON CONFLICT',
  (at) => is(at(0), 'returning') && 'RETURNING',
  (at) => is(at(0), 'tablesample') && 'TABLESAMPLE',
  (at) => is(at(0), 'array') && is(at(1), '[') && 'ARRAY[…]',
  (at) => is(at(0), 'except', 'intersect') && is(at(1), 'all') && 'ALL of EXCEPT and INTERSECT',
  (at) =>
    is(at(0), 'window') && at(1)?.kind !== 'sign' && is(at(2), 'as') && is(at(3), '(') && 'the WINDOW clause',
  (at) => is(at(0), 'grouping') && is(at(1), 'sets') && is(at(-1), 'exclude') && 'EXCLUDE of a frame',
  (at) => is(at(0), 'index') && is(at(-1), 'create', 'unique') && 'an index',
  (at) => is(at(0), 'fetch') && is(at(1), 'first', 'next') && 'FETCH FIRST',
  (at) => is(at(0), 'for') && is(at(1), 'update', 'share') && 'FOR UPDATE',
  (at) => is(at(0), ...missingTypes) && isTypeAt(at) && `the type ${at(0).text.toLowerCase()}`,
  (at) => is(at(0), ...ofLeader) && isCallOrKeyword(at) && `${at(0).text.toLowerCase()} on compute nodes`,
]

/**
 * What a statement has that Redshift lacks; undefined where nothing was found.
 *
 * @param {readonly import('./tokens.mjs').Token[]} all
 * @returns {string | undefined}
 */
export function refusal(all) {
  const found = meaningful(all)
  for (let index = 0; index < found.length; index++) {
    const at = (offset) => found[index + offset]
    for (const check of checks) {
      const wrong = check(at)
      if (wrong) return `${wrong} is not supported by Redshift`
    }
    const wrong =
      valuesAsTable(found, index) ??
      unnamedSubquery(found, index) ??
      unknownFunction(found, index) ??
      windowWithoutFrame(found, index)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function isTypeAt(at) {
  return (
    is(at(-1), '::') ||
    (is(at(-1), 'as') && is(at(1), ')')) ||
    (isNameLike(at(-1)) && is(at(1), ',', ')', 'not'))
  )
}

function isNameLike(token) {
  return (
    token?.kind === 'name' || (token?.kind === 'word' && !beforeParentheses.has(token.text.toLowerCase()))
  )
}

function isCallOrKeyword(at) {
  if (is(at(-1), '.') || is(at(1), '.')) return false
  return (
    at(0).text.toLowerCase().startsWith('current_') ||
    at(0).text.toLowerCase().startsWith('local') ||
    is(at(1), '(')
  )
}

function valuesAsTable(found, index) {
  if (!is(found[index], 'values') || is(found[0], 'insert')) return undefined
  return is(found[index + 1], '(') ? 'VALUES as a table is not supported by Redshift' : undefined
}

/** PostgreSQL 16 needs no name for it. */
function unnamedSubquery(found, index) {
  if (
    !is(found[index], 'from', 'join') ||
    !is(found[index + 1], '(') ||
    !is(found[index + 2], 'select', 'with')
  )
    return undefined
  const after = found[closing(found, index + 1) + 1]
  const isNamed = after?.kind === 'name' || (after?.kind === 'word' && !is(after, ...afterTables))
  return isNamed ? undefined : 'a subquery in FROM without an alias is not supported by Redshift'
}

function unknownFunction(found, index) {
  const [before, token, after] = [found[index - 1], found[index], found[index + 1]]
  if (token.kind !== 'word' || !is(after, '(')) return undefined
  const name = token.text.toLowerCase()
  if (functions.has(name) || beforeParentheses.has(name)) return undefined
  // Columns of a table, of an alias or of a query that WITH names.
  if (is(before, '.', 'into', 'table', 'as', ')', 'exists', 'with', 'recursive', 'references'))
    return undefined
  const end = closing(found, index + 1)
  if (is(before, ',') && is(found[end + 1], 'as') && is(found[end + 2], '(')) return undefined
  return `function ${name} does not exist on Redshift, or functions.txt lacks it`
}

/** https://docs.aws.amazon.com/redshift/latest/dg/c_Window_functions.html: an aggregate with ORDER BY needs its frame. */
function windowWithoutFrame(found, index) {
  if (!is(found[index], 'over') || !is(found[index + 1], '(') || !is(found[index - 1], ')', 'nulls'))
    return undefined
  const window = found.slice(index + 2, closing(found, index + 1))
  // The page of window functions has it, that of unsupported features denies it: `ORDER BY x IS NULL, x DESC` is sure.
  if (window.some((token, place) => is(token, 'nulls') && is(window[place + 1], 'first', 'last')))
    return 'NULLS FIRST and NULLS LAST of a window are not supported by Redshift'
  if (!window.some((token, place) => is(token, 'order') && is(window[place + 1], 'by'))) return undefined
  if (window.some((token) => is(token, 'rows'))) return undefined
  const name = calledBefore(found, index)
  return ranking.includes(name) ? undefined : `${name} OVER (… ORDER BY …) needs a ROWS frame on Redshift`
}

/** The function whose window begins at an index. */
function calledBefore(found, over) {
  let index = over - 1
  while (is(found[index], 'nulls', 'ignore', 'respect')) index -= 1
  for (let depth = 0; index >= 0; index--) {
    if (is(found[index], ')')) depth += 1
    if (is(found[index], '(')) depth -= 1
    if (depth === 0) break
  }
  return found[index - 1]?.text.toLowerCase() ?? ''
}
