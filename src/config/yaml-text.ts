import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type Document,
  type Node,
  type Scalar,
} from 'yaml'
import type {ErrorCode, Problem, SourcePosition} from '../errors.js'
import type {Path} from './check-schema.js'

/** One document of a YAML file as plain data, which still knows where each key and value stands. */
export interface YamlDocument {
  readonly value: unknown
  /** Place of a key or a value; of the nearest thing around it when the path leads nowhere. */
  readonly locate: (path: Path, at?: 'key' | 'value') => SourcePosition
}

/** Changes the text of a scalar before it is read; `at` gives the place of a character of its raw text. */
export type FillScalar = (
  scalar: {readonly text: string; readonly raw: string},
  at: (offset: number) => SourcePosition,
) => string

/** Parses the text of a YAML file. Documents with a syntax error are left out and told in `problems`. */
export function parseYaml(
  file: string,
  text: string,
  code: ErrorCode,
  fill?: FillScalar,
): {
  readonly documents: readonly YamlDocument[]
  readonly problems: readonly Problem[]
  /** Scalars that `fill` changed, as `isSubstituted` of the schema check wants it. */
  readonly isSubstituted: (path: Path) => boolean
} {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, {lineCounter: lines, merge: true, prettyErrors: false})
  const positionOf = (offset: number): SourcePosition => {
    const {line, col} = lines.linePos(offset)
    return {file, line: Math.max(line, 1), column: Math.max(col, 1)}
  }
  const documents: YamlDocument[] = []
  const problems: Problem[] = []
  const filled = new Set<string>()
  for (const document of Array.isArray(parsed) ? (parsed as Document.Parsed[]) : []) {
    if (document.errors.length > 0) {
      problems.push(
        ...document.errors.map((error) => ({
          code,
          message: `YAML: ${error.message.replace(/\.?$/, '.')}`,
          hint: syntaxHints[error.code] ?? 'Correct the YAML; the place given is where reading it failed.',
          ...positionOf(error.pos[0]),
        })),
      )
      continue
    }
    if (fill !== undefined) fillScalars(document, text, fill, positionOf, filled)
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
      continue
    documents.push({
      value: document.toJS(),
      locate: (path, at = 'value') => positionOf(offsetOf(document, path, at)),
    })
  }
  return {documents, problems, isSubstituted: (path) => filled.has(JSON.stringify(path))}
}

const syntaxHints: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'Remove one of the two.',
  TAB_AS_INDENT: 'Indent by spaces.',
  BAD_INDENT: 'Indent keys of one block by the same number of spaces.',
}

function fillScalars(
  document: Document.Parsed,
  text: string,
  fill: FillScalar,
  positionOf: (offset: number) => SourcePosition,
  filled: Set<string>,
): void {
  visit(document, {
    Scalar(key, scalar: Scalar, ancestors) {
      if (key === 'key' || typeof scalar.value !== 'string' || !scalar.range) return
      const [start, end] = scalar.range
      const replaced = fill({text: scalar.value, raw: text.slice(start, end)}, (offset) =>
        positionOf(start + offset),
      )
      if (replaced === scalar.value) return
      scalar.value = replaced
      filled.add(JSON.stringify(pathOf(key, ancestors)))
    },
  })
}

/** The path of keys and indexes that leads through a visitor's ancestors. */
function pathOf(key: number | 'key' | 'value' | null, ancestors: readonly unknown[]): Path {
  const path: (string | number)[] = []
  ancestors.forEach((ancestor, depth) => {
    const next = ancestors[depth + 1]
    if (isSeq(ancestor)) path.push(next === undefined ? (key as number) : ancestor.items.indexOf(next))
    else if (isPairLike(ancestor)) path.push(keyText(ancestor.key))
  })
  return path
}

function offsetOf(document: Document.Parsed, path: Path, at: 'key' | 'value'): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? document.range[0]
  for (const [depth, step] of path.entries()) {
    const container: unknown = isAlias(node) ? node.resolve(document) : node
    if (isSeq(container)) node = container.items[step as number]
    else if (isMap(container)) {
      const pair = container.items.find((one) => keyText(one.key) === String(step))
      if (pair === undefined) return offset
      node = at === 'key' && depth === path.length - 1 ? pair.key : (pair.value ?? pair.key)
    } else return offset
    offset = startOf(node) ?? offset
  }
  return offset
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key)
}

function isPairLike(ancestor: unknown): ancestor is {readonly key: unknown} {
  return (
    typeof ancestor === 'object' &&
    ancestor !== null &&
    'key' in ancestor &&
    'value' in ancestor &&
    !isNode(ancestor)
  )
}
