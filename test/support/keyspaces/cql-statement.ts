/** A statement of CQL as far as a proxy has to understand it. */
export interface CqlStatement {
  readonly text: string
  /** Words, names, strings and signs; no comments, no semicolon at the end. */
  readonly tokens: readonly string[]
  /** `batch` is one that is written as text. */
  readonly kind: 'read' | 'write' | 'batch' | 'schema' | 'other'
  /** The keyspace that is named, if any. */
  readonly keyspace?: string
  readonly table?: string
}

const token =
  /--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$[\s\S]*?\$\$|[A-Za-z_]\w*|-?\d[\w.]*|[<>!]=|\S/g

/** Takes any text: what is no CQL is `other`, and the server's to refuse. */
export function parseStatement(text: string): CqlStatement {
  const tokens = (text.match(token) ?? []).filter((one) => !/^(--|\/\/|\/\*)/.test(one))
  if (tokens.at(-1) === ';') tokens.pop()
  const kind = kindOf(tokens)
  return {text, tokens, kind, ...tableOf(tokens, kind)}
}

/** How many writes it makes; a batch that is written as text makes as many as it has statements. */
export function writesIn({kind, tokens}: CqlStatement): number {
  if (kind === 'batch') return tokens.filter((one) => kindOf([one]) === 'write').length
  return kind === 'write' ? 1 : 0
}

/** Whether the words stand in the statement, one after another. */
export function hasWords({tokens}: CqlStatement, ...words: readonly string[]): boolean {
  return indexOfWords(tokens, words) >= 0
}

/** Where the first of the words stands; below zero where they don't. */
export function indexOfWords(tokens: readonly string[], words: readonly string[]): number {
  return tokens.findIndex((_, start) => words.every((word, offset) => isWord(tokens[start + offset], word)))
}

function isWord(one: string | undefined, word: string): boolean {
  return one?.toUpperCase() === word
}

function kindOf([first]: readonly string[]): CqlStatement['kind'] {
  switch (first?.toUpperCase()) {
    case 'SELECT':
      return 'read'
    case 'INSERT':
    case 'UPDATE':
    case 'DELETE':
      return 'write'
    case 'BEGIN':
      return 'batch'
    case 'CREATE':
    case 'ALTER':
    case 'DROP':
    case 'TRUNCATE':
      return 'schema'
    default:
      return 'other'
  }
}

function tableOf(
  tokens: readonly string[],
  kind: CqlStatement['kind'],
): {readonly keyspace?: string; readonly table?: string} {
  let at = startOfTable(tokens, kind)
  if (at === undefined) return {}
  // IF EXISTS, IF NOT EXISTS
  while (['IF', 'NOT', 'EXISTS'].some((word) => isWord(tokens[at ?? 0], word))) at += 1
  const first = tokens[at]
  const second = tokens[at + 2]
  if (first === undefined) return {}
  if (tokens[at + 1] !== '.' || second === undefined) return {table: nameOf(first)}
  return {keyspace: nameOf(first), table: nameOf(second)}
}

function startOfTable(tokens: readonly string[], kind: CqlStatement['kind']): number | undefined {
  if (isWord(tokens[0], 'UPDATE')) return 1
  const word = kind === 'schema' ? 'TABLE' : isWord(tokens[0], 'INSERT') ? 'INTO' : 'FROM'
  const index = tokens.findIndex((one) => isWord(one, word))
  return index < 0 ? undefined : index + 1
}

/** Names fold to lower case unless they are quoted. */
export function nameOf(written: string): string {
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written.toLowerCase()
}
