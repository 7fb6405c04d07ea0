import {checkSchema, formatPath, type Path} from '../config/check-schema.js'
import {didYouMean} from '../definitions/nearest-name.js'
import {definitionKinds, type DefinitionKind} from '../definitions/definition.js'
import {parseDuration} from '../definitions/duration.js'
import {parseDefinition, type PlainDefinition} from '../definitions/snake-case.js'
import {keyTypes, parseValueType, valueTypeNames, type KeyType} from '../definitions/value-type.js'
import type {Problem, SourcePosition} from '../errors.js'
import {definitionSchemas} from './definition-schema.js'
import type {RepoContents} from './repo-contents.js'

/** A definition as it was written, in YAML or TypeScript. */
export interface WrittenDefinition {
  readonly value: unknown
  readonly language: 'yaml' | 'typescript'
  readonly locate: (path: Path, at?: 'key' | 'value') => SourcePosition
}

/** Checks the shape of one definition and parses it. YAML and TypeScript come to the same data and the same messages. */
export function checkDefinition(
  written: WrittenDefinition,
): Pick<RepoContents, 'definitions' | 'malformed' | 'problems'> {
  const {value, locate} = written
  const object =
    typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  const kind = object['kind']
  if (!isKind(kind)) return {definitions: [], malformed: [], problems: [kindProblem(kind, locate)]}
  const spell = written.language === 'yaml' ? (property: string) => property : toCamelCase
  const {value: plain, findings} = checkSchema(value, definitionSchemas[kind] ?? {}, {spell, formats})
  const name = typeof object['name'] === 'string' ? object['name'] : undefined
  const address = name === undefined ? kind : `${kind}/${name}`
  const problems: Problem[] = findings.map(({path, at, message, hint}) => ({
    code: 'FS_DEFINITION_INVALID',
    message: `${address}: ${message}`,
    ...(hint === undefined ? {} : {hint}),
    address: [address, ...path].join('/'),
    ...locate(path, at),
  }))
  const untyped = findings.length === 0 && kind === 'entity' ? untypedKeys(plain as PlainDefinition) : []
  for (const path of untyped) {
    problems.push({
      code: 'FS_DEFINITION_INVALID',
      message: `${address}: \`${formatPath(path)}\` has no type. Expected one of: ${keyTypes.join(', ')}.`,
      hint: `Add \`${spell('value_type')}\`.`,
      address: [address, ...path].join('/'),
      ...locate(path),
    })
  }
  if (problems.length > 0)
    return {definitions: [], malformed: name === undefined ? [] : [{kind, name}], problems}
  return {
    definitions: [{definition: parseDefinition(plain as PlainDefinition), locate}],
    malformed: [],
    problems: [],
  }
}

function isKind(kind: unknown): kind is DefinitionKind {
  return (definitionKinds as readonly unknown[]).includes(kind)
}

function kindProblem(kind: unknown, locate: WrittenDefinition['locate']): Problem {
  const expected = `Expected one of: ${definitionKinds.join(', ')}.`
  if (kind === undefined || kind === null) {
    return {
      code: 'FS_DEFINITION_INVALID',
      message: `This document has no \`kind\`. ${expected}`,
      hint: 'Add `kind`, or name the file in .fsignore when it holds no definitions.',
      ...locate([]),
    }
  }
  const text = typeof kind === 'string' ? kind : JSON.stringify(kind)
  return {
    code: 'FS_DEFINITION_INVALID',
    message: `There is no kind \`${text}\`. ${expected}`,
    hint: didYouMean(text, definitionKinds) ?? 'Name the file in .fsignore when it holds no definitions.',
    ...locate(['kind']),
  }
}

function untypedKeys(plain: PlainDefinition): readonly Path[] {
  if (plain['value_type'] !== undefined) return []
  return (plain['join_keys'] as readonly (string | {readonly value_type?: string})[]).flatMap((key, index) =>
    typeof key === 'string' || key.value_type === undefined ? [['join_keys', index]] : [],
  )
}

/** The names of the TypeScript builders: a field's type is `valueType` there, as a join key's is. */
function toCamelCase(property: string): string {
  if (property === 'dtype') return 'valueType'
  return property.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

const formats: Readonly<Record<string, (text: string) => string | undefined>> = {
  'fs-duration': (text) => (parseDuration(text) === undefined ? 'a duration up to 10,000 years' : undefined),
  'fs-value-type': (text) => (parseValueType(text) === undefined ? `one of: ${valueTypeNames}` : undefined),
  'fs-key-type': (text) => {
    if (keyTypes.includes(parseValueType(text) as KeyType)) return undefined
    return `a type whose values are equal or not on every engine: ${keyTypes.join(', ')}`
  },
}
