import {FeatureStoreError} from '../../errors.js'

/** What gives another answer another time. */
const volatile = /\b(getdate|sysdate|current_date|current_time|current_timestamp|now|timeofday|random)\b/i

/**
 * A query must be one SELECT that gives the same rows whenever it runs. The warehouse has no parser that could be asked,
 * so words outside of texts, names and comments are looked at. Throws FS_SOURCE_UNREADABLE, FS_SOURCE_NOT_REPRODUCIBLE.
 */
export function checkQuery(sql: string, what: string): void {
  const bare = withoutTexts(sql)
  const ended = bare.trimEnd().replace(/;\s*$/, '')
  if (!/^[\s(]*(select|with)\b/i.test(ended) || ended.includes(';'))
    throw new FeatureStoreError('FS_SOURCE_UNREADABLE', `${what} is not one SELECT.`, {
      hint: 'Write one SELECT; other statements belong elsewhere.',
    })
  const found = volatile.exec(bare)
  if (found === null) return
  const before = bare.slice(0, found.index).split('\n')
  throw new FeatureStoreError(
    'FS_SOURCE_NOT_REPRODUCIBLE',
    `${what} uses \`${found[0]}\` (line ${before.length}, column ${(before.at(-1) ?? '').length + 1}), which gives another answer every time. Expected SQL that gives the same rows whenever it runs.`,
    {
      hint: "Leave the time out of the SQL: a view's `ttl`, and START and END of a load, choose rows by time.",
    },
  )
}

/** Texts, quoted names and comments as blanks, so that places stay what they are. */
function withoutTexts(sql: string): string {
  return sql.replaceAll(/'(?:[^'\\]|''|\\[^])*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[^]*?\*\//g, (part) =>
    part.replaceAll(/[^\n]/g, ' '),
  )
}
