/**
 * A piece of SQL text. `text` is as it was written: all texts in a row are the statement again.
 *
 * @typedef {object} Token
 * @property {'space' | 'string' | 'name' | 'word' | 'parameter' | 'number' | 'sign'} kind `space` is comments, too; `name` is quoted.
 * @property {string} text
 */

const kinds = [
  ['space', /\s+|--[^\n]*|\/\*[\s\S]*?\*\//y],
  ['string', /'(?:[^'\\]|''|\\[\s\S])*'|\$\$[\s\S]*?\$\$/y],
  ['name', /"(?:[^"]|"")*"/y],
  ['number', /\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?/iy],
  ['word', /[#\p{L}_][\p{L}\p{N}_$]*/uy],
  ['parameter', /:[a-z_]\w*/iy],
  ['sign', /::|<>|<=|>=|!=|\|\||[\s\S]/y],
]

/**
 * @param {string} sql
 * @returns {Token[]}
 */
export function tokens(sql) {
  const found = []
  for (let at = 0; at < sql.length;) {
    // The second colon of a cast is not the beginning of a parameter.
    const isCast = sql.startsWith('::', at)
    for (const [kind, pattern] of kinds) {
      if (isCast && kind !== 'sign') continue
      pattern.lastIndex = at
      const text = pattern.exec(sql)?.[0]
      if (text === undefined) continue
      found.push({kind, text})
      at += text.length
      break
    }
  }
  return found
}

/** Without comments and blanks. */
export function meaningful(all) {
  return all.filter(({kind}) => kind !== 'space')
}

/** Whether a token is a word or sign, whatever its case. */
export function is(token, ...texts) {
  return (token?.kind === 'word' || token?.kind === 'sign') && texts.includes(token.text.toLowerCase())
}

/**
 * The index of the parenthesis that closes the one at an index; the end where there is none.
 *
 * @param {readonly Token[]} all
 * @param {number} open
 */
export function closing(all, open) {
  let depth = 0
  for (let index = open; index < all.length; index++) {
    if (is(all[index], '(')) depth += 1
    if (is(all[index], ')')) depth -= 1
    if (depth === 0) return index
  }
  return all.length
}
