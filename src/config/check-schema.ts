/**
 * Checks plain data against a JSON Schema and says what is wrong the way a person would. It reads only the part of
 * JSON Schema that our own schemas use, so that commands start without a schema compiler; a test holds it against a
 * full validator.
 */
import {didYouMean} from '../definitions/nearest-name.js'

export type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array'

/** The part of JSON Schema (draft-07) that is understood. */
export interface Schema {
  readonly description?: string
  readonly type?: JsonType
  readonly const?: string | number
  readonly enum?: readonly string[]
  /** Alternatives, told apart by their types, or for objects by a property that is constant in each. */
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly minItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  /** Names one of `formats`. */
  readonly format?: string
  readonly default?: unknown
  /** What was expected, where a pattern would say nothing to a person; editors show it too. */
  readonly errorMessage?: string
}

export type Path = readonly (string | number)[]

/** One thing that does not match the schema. */
export interface Finding {
  readonly path: Path
  /** Whether the key at the end of the path is wrong, or its value. */
  readonly at: 'key' | 'value'
  readonly message: string
  readonly hint?: string
}

export interface CheckOptions {
  /** How the user spells a property of the schema; as it stands by default. */
  readonly spell?: (property: string) => string
  /** Text at this path may stand for a number or a boolean (it came from the environment). */
  readonly isSubstituted?: (path: Path) => boolean
  /** Hints for keys that people bring from elsewhere. */
  readonly foreignKeys?: Readonly<Record<string, string>>
  /** Checks of named formats beyond a pattern: what was expected, or undefined when the text is fine. */
  readonly formats?: Readonly<Record<string, (text: string) => string | undefined>>
}

/** Returns the data as the schema spells it, with defaults filled in, and everything that is wrong with it. */
export function checkSchema(
  value: unknown,
  schema: Schema,
  options: CheckOptions = {},
): {readonly value: unknown; readonly findings: readonly Finding[]} {
  const walk = new SchemaWalk(options)
  return {value: walk.check(value, schema, []), findings: walk.findings}
}

class SchemaWalk {
  readonly findings: Finding[] = []
  readonly #options: CheckOptions

  constructor(options: CheckOptions) {
    this.#options = options
  }

  check(value: unknown, schema: Schema, path: Path): unknown {
    if (schema.oneOf !== undefined) return this.#checkAlternatives(value, schema, schema.oneOf, path)
    const given = this.#coerce(value, schema, path)
    if (schema.type !== undefined && !hasType(given, schema.type)) {
      this.#wrong(path, schema.errorMessage ?? typeNames[schema.type], given, typeHint(given, schema))
      return given
    }
    if (schema.const !== undefined && given !== schema.const) this.#wrong(path, expectedOf(schema), given)
    if (schema.enum !== undefined && !schema.enum.includes(given as string)) {
      this.#wrong(path, expectedOf(schema), given, didYouMean(given as string, schema.enum))
    }
    if (typeof given === 'string') this.#checkText(given, schema, path)
    if (typeof given === 'number' && (given < (schema.minimum ?? given) || given > (schema.maximum ?? given)))
      this.#wrong(path, schema.errorMessage ?? `at least ${schema.minimum ?? '-'}`, given)
    if (Array.isArray(given)) return this.#checkItems(given, schema, path)
    if (schema.type === 'object') return this.#checkObject(given as Record<string, unknown>, schema, path)
    return given
  }

  #checkText(text: string, schema: Schema, path: Path): void {
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(text)) {
      this.#wrong(path, schema.errorMessage ?? `text like ${schema.pattern}`, text)
      return
    }
    const expected = schema.format === undefined ? undefined : this.#options.formats?.[schema.format]?.(text)
    if (expected !== undefined) this.#wrong(path, expected, text)
  }

  #checkItems(items: readonly unknown[], schema: Schema, path: Path): unknown {
    if (items.length < (schema.minItems ?? 0)) this.#wrong(path, 'a list of at least one', items)
    const {items: itemSchema} = schema
    return itemSchema === undefined
      ? items
      : items.map((item, index) => this.check(item, itemSchema, [...path, index]))
  }

  #checkObject(object: Readonly<Record<string, unknown>>, schema: Schema, path: Path): unknown {
    const spell = this.#options.spell ?? ((property) => property)
    const checked: Record<string, unknown> = {}
    const known = new Map(Object.keys(schema.properties ?? {}).map((property) => [spell(property), property]))
    for (const [key, value] of Object.entries(object)) {
      const property = known.get(key)
      const keyPath = [...path, key]
      if (property !== undefined) {
        // `ttl:` with nothing behind it is as good as absent.
        if (value === null || value === undefined) continue
        checked[property] = this.check(value, schema.properties?.[property] as Schema, keyPath)
      } else if (typeof schema.additionalProperties === 'object') {
        checked[key] = this.check(value, schema.additionalProperties, keyPath)
      } else if (schema.additionalProperties === false) {
        this.#unknownKey(keyPath, key, [...known.keys()])
      }
    }
    for (const [property, {default: fallback}] of Object.entries(schema.properties ?? {}))
      if (fallback !== undefined && checked[property] === undefined)
        checked[property] = this.check(fallback, schema.properties?.[property] as Schema, [...path, property])
    for (const property of schema.required ?? []) {
      if (checked[property] !== undefined) continue
      const name = spell(property)
      this.findings.push({
        path,
        at: 'value',
        message: `\`${formatPath([...path, name])}\` is missing.`,
        hint: `Add \`${name}\`${describeProperty(schema.properties?.[property])}.`,
      })
    }
    return checked
  }

  #checkAlternatives(value: unknown, schema: Schema, alternatives: readonly Schema[], path: Path): unknown {
    const fitting = alternatives.filter((one) => one.type === undefined || hasType(value, one.type))
    const [first] = fitting
    if (first === undefined) {
      const expected =
        schema.errorMessage ??
        [...new Set(alternatives.map((one) => typeNames[one.type ?? 'object']))].join(' or ')
      this.#wrong(path, expected, value, typeHint(value, alternatives[0]))
      return value
    }
    const discriminator = Object.keys(first.properties ?? {}).find(
      (name) => first.properties?.[name]?.const !== undefined,
    )
    if (discriminator === undefined) return this.check(value, first, path)
    const constants = fitting.map((one) => one.properties?.[discriminator]?.const as string)
    const object = value as Record<string, unknown>
    const given = object[discriminator] ?? first.properties?.[discriminator]?.default
    const chosen = fitting[constants.indexOf(given as string)]
    if (chosen !== undefined) return this.check({...object, [discriminator]: given}, chosen, path)
    if (given === undefined) {
      this.findings.push({
        path,
        at: 'value',
        message: `\`${formatPath([...path, discriminator])}\` is missing. Expected one of: ${constants.join(', ')}.`,
        hint: `Add \`${discriminator}: ${constants[0] ?? ''}\`, or another of them.`,
      })
    } else {
      this.#wrong(
        [...path, discriminator],
        `one of: ${constants.join(', ')}`,
        given,
        typeof given === 'string' ? didYouMean(given, constants) : undefined,
      )
    }
    return value
  }

  #coerce(value: unknown, {type}: Schema, path: Path): unknown {
    if (typeof value !== 'string' || this.#options.isSubstituted?.(path) !== true) return value
    if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
    if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(value)) return Number(value)
    return value
  }

  #unknownKey(path: Path, key: string, known: readonly string[]): void {
    const suggestion = didYouMean(key, known)
    const foreign = Object.hasOwn(this.#options.foreignKeys ?? {}, key)
      ? this.#options.foreignKeys?.[key]
      : undefined
    this.findings.push({
      path,
      at: 'key',
      message: `Unknown key \`${formatPath(path)}\`. Expected one of: ${known.join(', ')}.`,
      hint: foreign ?? suggestion ?? 'Remove it.',
    })
  }

  #wrong(path: Path, expected: string, given: unknown, hint?: string): void {
    const place = path.length === 0 ? 'This' : `\`${formatPath(path)}\``
    this.findings.push({
      path,
      at: 'value',
      message: `${place} is ${describeValue(given)}. Expected ${expected}.`,
      ...(hint === undefined ? {} : {hint}),
    })
  }
}

/** `schema[0].dtype`. */
export function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  )
}

const typeNames: Readonly<Record<JsonType, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a block of keys and values',
  array: 'a list',
}

function hasType(value: unknown, type: JsonType): boolean {
  switch (type) {
    case 'string':
    case 'boolean':
      return typeof value === type
    case 'number':
      return Number.isFinite(value)
    case 'integer':
      return Number.isSafeInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    default:
      return type satisfies never
  }
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  switch (typeof value) {
    case 'string':
      return value === '' ? 'empty text' : `\`${value}\``
    case 'number':
    case 'bigint':
      return `the number ${value}`
    case 'boolean':
      return value ? 'true' : 'false'
    case 'function':
      return 'a function'
    default:
      return 'a block of keys and values'
  }
}

function expectedOf({const: constant, enum: values, errorMessage}: Schema): string {
  return errorMessage ?? (values === undefined ? `\`${constant ?? ''}\`` : `one of: ${values.join(', ')}`)
}

/** For what was meant as a text and read as something else, or the other way round. */
function typeHint(value: unknown, schema: Schema | undefined): string | undefined {
  if (
    typeof value === 'string' &&
    /^-?\d+(\.\d+)?$/.test(value) &&
    hasType(Number(value), schema?.type ?? 'string')
  )
    return `Take it out of quotes: ${value}.`
  if (schema?.type !== 'string' || (typeof value !== 'number' && typeof value !== 'boolean')) return undefined
  const text = String(value)
  const fits = (one: string): boolean =>
    schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(one)
  if (fits(text)) return `Put it in quotes: "${text}".`
  return schema.format === 'fs-duration' && fits(`${text}s`) ? `Give it a unit: ${text}s, say.` : undefined
}

function describeProperty(schema: Schema | undefined): string {
  return schema?.description === undefined ? '' : `: ${schema.description.replace(/\.$/, '')}`
}
