/**
 * Redshift's SQL as PostgreSQL runs it. Only what PostgreSQL lacks or means otherwise is translated, and every translation is
 * in `translations` below, beside the functions of functions.sql. UNLOAD, COPY and CREATE EXTERNAL SCHEMA are carried out
 * by unload.mjs, copy.mjs and external-schema.mjs.
 *
 * Not translated, so not proven by whatever runs here: comparison of VARCHAR without trailing blanks (a column that a test
 * declares CHAR compares so in PostgreSQL, too), lengths of VARCHAR in bytes (COPY does check them), names of more than 63
 * bytes (refused), correlated subqueries that Redshift can't run, NaN, and how floats are printed.
 */
import {refusal} from './refusals.mjs'
import {closing, is, tokens} from './tokens.mjs'

/** What Redshift's parser would not take, or this stand-in can not. */
export class NotRedshift extends Error {}

/**
 * Each takes tokens and the index of one that is no blank, and changes them from there on; what comes before is done.
 *
 * @type {Readonly<Record<string, (all: import('./tokens.mjs').Token[], index: number) => void>>}
 */
const translations = {
  // Names are folded to lower case, in quotes too: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
  foldName(all, index) {
    const token = all[index]
    if (token.kind !== 'name' && token.kind !== 'word') return
    if (Buffer.byteLength(token.text.replaceAll('"', '')) > 63)
      throw new NotRedshift(`the stand-in can't keep a name of more than 63 bytes: ${token.text}`)
    if (token.kind === 'name') all[index] = {...token, text: token.text.toLowerCase()}
  },

  // Types. TEXT is VARCHAR(256): https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
  typeName(all, index) {
    const next = following(all, index)
    if (is(all[index], 'super') && !is(all[next], '(', '.')) replace(all, index, 'jsonb')
    else if (is(all[index], 'varbyte', 'varbinary')) {
      replace(all, index, 'bytea')
      if (is(all[next], '(')) remove(all, next, closing(all, next))
    } else if (is(all[index], 'varchar', 'char') && is(all[next], '(')) {
      const length = following(all, next)
      if (is(all[length], 'max')) replace(all, length, is(all[index], 'char') ? '4096' : '65535')
    } else if (is(all[index], 'text') && (is(all[preceding(all, index)], '::') || isCastTo(all, index)))
      replace(all, index, 'varchar(256)')
  },

  // The transaction's begin: https://docs.aws.amazon.com/redshift/latest/dg/r_SYSDATE.html
  sysdate(all, index) {
    if (is(all[index], 'sysdate') && isValue(all, index))
      replace(all, index, "(transaction_timestamp() AT TIME ZONE 'UTC')")
  },

  // The statement's begin, in whole seconds: https://docs.aws.amazon.com/redshift/latest/dg/r_GETDATE.html
  getdate(all, index) {
    if (!isCall(all, index, 'getdate')) return
    const open = following(all, index)
    remove(all, open, closing(all, open))
    replace(all, index, "date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC')")
  },

  // A synonym: https://docs.aws.amazon.com/redshift/latest/dg/r_NVL_function.html
  nvl(all, index) {
    if (isCall(all, index, 'nvl')) replace(all, index, 'coalesce')
  },

  // The part is a word or a text: https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
  dateFunctions(all, index) {
    if (!isCall(all, index, 'dateadd', 'datediff', 'date_add', 'date_diff', 'date_part')) return
    const part = following(all, following(all, index))
    if (is(all[index], 'date_part')) {
      if (all[part].kind === 'word') replace(all, part, `'${all[part].text}'`)
      return
    }
    const name = all[part].text.replaceAll("'", '').toLowerCase()
    const known = Object.keys(dateParts).find((each) => dateParts[each].includes(name))
    if (known === undefined)
      throw new NotRedshift(`the stand-in does not know the date part ${all[part].text}`)
    replace(all, part, `'${known}'`)
    replace(all, index, `redshift.${all[index].text.toLowerCase().replace('_', '')}`)
  },

  // Of whole numbers it is a whole number; PostgreSQL's own stands before any other schema's.
  avg(all, index) {
    if (isCall(all, index, 'avg')) replace(all, index, 'redshift.avg')
  },

  // It replaces all, PostgreSQL's own the first: https://docs.aws.amazon.com/redshift/latest/dg/REGEXP_REPLACE.html
  regexpReplace(all, index) {
    if (isCall(all, index, 'regexp_replace')) replace(all, index, 'redshift.regexp_replace')
  },

  // The type is an argument, as a text and as a null of it: https://docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html
  tryCast(all, index) {
    if (!isCall(all, index, 'try_cast')) return
    const open = following(all, index)
    const close = closing(all, open)
    let as = preceding(all, close)
    for (let depth = 0; as > open && !(depth === 0 && is(all[as], 'as')); as--)
      depth += is(all[as], ')') ? 1 : is(all[as], '(') ? -1 : 0
    const type = translate(
      all
        .slice(as + 1, close)
        .map(({text}) => text)
        .join(''),
    ).text.trim()
    remove(all, as, close - 1)
    replace(all, close, `, '${type}', null::${type})::${type}`)
    replace(all, index, 'redshift.try_cast')
  },

  // Exact is approximate enough: https://docs.aws.amazon.com/redshift/latest/dg/r_COUNT.html
  approximate(all, index) {
    if (is(all[index], 'approximate') && is(all[following(all, index)], 'count')) replace(all, index, '')
  },

  // An aggregate that skips nulls, over the same window: https://docs.aws.amazon.com/redshift/latest/dg/r_WF_first_value.html
  ignoreNulls(all, index) {
    if (!isCall(all, index, 'last_value', 'first_value', 'lag', 'lead', 'nth_value')) return
    const open = following(all, index)
    const close = closing(all, open)
    const inside = [...indexes(all, open + 1, close)].find((at) => is(all[at], 'ignore', 'respect'))
    const after = following(all, close)
    const ignore = inside ?? (is(all[after], 'ignore', 'respect') ? after : undefined)
    if (ignore === undefined) return
    const nulls = following(all, ignore)
    const isIgnoring = is(all[ignore], 'ignore')
    if (!is(all[nulls], 'nulls')) return
    replace(all, ignore, '')
    replace(all, nulls, '')
    if (!isIgnoring) return
    if (!is(all[index], 'last_value', 'first_value'))
      throw new NotRedshift(`the stand-in can't do ${all[index].text} with IGNORE NULLS`)
    replace(all, index, `redshift.${all[index].text.toLowerCase()}_ignore_nulls`)
  },

  // How a table lies on nodes: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
  tableAttributes(all, index) {
    const [create, second, third] = firstWords(all)
    if (create !== 'create' || !(second === 'table' || third === 'table' || third === 'temp')) return
    const next = following(all, index)
    const upTo = (last) => remove(all, index, last)
    if (is(all[index], 'diststyle', 'encode')) upTo(next)
    else if (is(all[index], 'backup') && is(all[next], 'yes', 'no')) upTo(next)
    else if (is(all[index], 'compound', 'interleaved') && is(all[next], 'sortkey')) upTo(index)
    else if (is(all[index], 'distkey', 'sortkey')) {
      if (is(all[next], '(')) upTo(closing(all, next))
      else upTo(is(all[next], 'auto', 'none') ? next : index)
    }
  },
}

const dateParts = {
  year: ['year', 'years', 'y', 'yr', 'yrs'],
  quarter: ['quarter', 'quarters', 'qtr', 'qtrs'],
  month: ['month', 'months', 'mon', 'mons'],
  week: ['week', 'weeks', 'w'],
  day: ['day', 'days', 'd'],
  hour: ['hour', 'hours', 'h', 'hr', 'hrs'],
  minute: ['minute', 'minutes', 'm', 'min', 'mins'],
  second: ['second', 'seconds', 's', 'sec', 'secs'],
  millisecond: ['millisecond', 'milliseconds', 'ms', 'msec', 'msecs'],
  microsecond: ['microsecond', 'microseconds', 'us', 'usec', 'usecs'],
}

/**
 * The text for PostgreSQL, and the names of its parameters in the order of `$1`, `$2`. Throws `NotRedshift` for what Redshift lacks.
 *
 * @param {string} sql
 * @returns {{text: string, parameters: string[]}}
 */
export function translate(sql) {
  const all = tokens(sql)
  const wrong = refusal(all)
  if (wrong !== undefined) throw new NotRedshift(wrong)
  const parameters = []
  for (let index = 0; index < all.length; index++) {
    if (all[index].kind === 'space') continue
    for (const change of Object.values(translations)) change(all, index)
    if (all[index].kind === 'parameter') {
      const name = all[index].text.slice(1)
      if (!parameters.includes(name)) parameters.push(name)
      replace(all, index, `$${parameters.indexOf(name) + 1}`)
    }
  }
  return {text: all.map(({text}) => text).join(''), parameters}
}

/** Text that no translation looks at again. */
function replace(all, index, text) {
  all[index] = {kind: 'done', text}
}

function remove(all, first, last) {
  for (let index = first; index <= last && index < all.length; index++) replace(all, index, '')
}

function following(all, index) {
  let next = index + 1
  while (all[next]?.kind === 'space') next += 1
  return next
}

function preceding(all, index) {
  let before = index - 1
  while (all[before]?.kind === 'space') before -= 1
  return before
}

function* indexes(all, first, end) {
  for (let index = first; index < end; index++) if (all[index].kind !== 'space') yield index
}

function isCall(all, index, ...names) {
  return (
    is(all[index], ...names) && is(all[following(all, index)], '(') && !is(all[preceding(all, index)], '.')
  )
}

function isValue(all, index) {
  return !is(all[preceding(all, index)], '.', 'as') && !is(all[following(all, index)], '.')
}

/** Whether `AS` before an index belongs to a CAST. */
function isCastTo(all, index) {
  const as = preceding(all, index)
  if (!is(all[as], 'as')) return false
  let depth = 0
  for (let at = as; at >= 0; at--) {
    if (is(all[at], ')')) depth += 1
    if (is(all[at], '(') && --depth < 0) return is(all[preceding(all, at)], 'cast')
  }
  return false
}

function firstWords(all) {
  const words = all.filter(({kind}) => kind === 'word' || kind === 'done').slice(0, 3)
  return words.map(({text}) => text.toLowerCase())
}
