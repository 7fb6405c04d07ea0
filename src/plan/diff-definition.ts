import type {PlainDefinition} from '../definitions/snake-case.js'
import type {FieldChange} from './plan.js'

type Plain = Readonly<Record<string, unknown>>

/**
 * What changes from one definition to another, value by value, in their YAML form; undefined stands for no definition.
 * Elements that have a name are compared by name, so that one feature more is one change. When that alone does not give
 * the new order, the list itself is a change, of its names: `schema: [a, b] -> [b, a]`.
 */
export function diffDefinition(
  before: PlainDefinition | undefined,
  after: PlainDefinition | undefined,
): readonly FieldChange[] {
  const old: Plain = before ?? emptied(after)
  const wanted: Plain = after ?? emptied(before)
  return keysOf(old, wanted)
    .filter((key) => key !== 'kind' && key !== 'name')
    .flatMap((key) => diffValue(key, old[key], wanted[key]))
}

function diffValue(path: string, before: unknown, after: unknown): readonly FieldChange[] {
  if (isRecord(before) && isRecord(after)) {
    return keysOf(before, after).flatMap((key) => diffValue(`${path}.${key}`, before[key], after[key]))
  }
  const [named, wanted] = [byName(before), byName(after)]
  if (named !== undefined && wanted !== undefined) return diffNamed(path, named, wanted)
  return isEqual(before, after) ? [] : [{path, before, after}]
}

function diffNamed(
  path: string,
  before: ReadonlyMap<string, Plain>,
  after: ReadonlyMap<string, Plain>,
): readonly FieldChange[] {
  const [names, wanted] = [[...before.keys()], [...after.keys()]]
  const elements = [...wanted, ...names.filter((name) => !after.has(name))].flatMap((name) =>
    diffValue(`${path}.${name}`, before.get(name), after.get(name)),
  )
  const appended = [...names.filter((name) => after.has(name)), ...wanted.filter((name) => !before.has(name))]
  return isEqual(appended, wanted) ? elements : [...elements, {path, before: names, after: wanted}]
}

/** Elements by what tells them apart; undefined for what is no list of named elements. A projection is named by its view. */
function byName(value: unknown): ReadonlyMap<string, Plain> | undefined {
  if (!Array.isArray(value)) return undefined
  const named = new Map<string, Plain>()
  for (const element of value as readonly unknown[]) {
    const name = isRecord(element) ? (element['name'] ?? element['view']) : undefined
    if (typeof name !== 'string' || named.has(name)) return undefined
    named.set(name, element as Plain)
  }
  return named
}

/** The definition with nothing in its lists and records, so that each element that is created or deleted is one change. */
function emptied(definition: PlainDefinition | undefined): Plain {
  return Object.fromEntries(
    Object.entries(definition ?? {})
      .filter(([, value]) => isRecord(value) || byName(value) !== undefined)
      .filter(([, value]) => Object.keys(value as object).length > 0)
      .map(([key, value]) => [key, Array.isArray(value) ? [] : {}]),
  )
}

/** In the order of `after`, then what only `before` has. */
function keysOf(before: Plain, after: Plain): readonly string[] {
  return [...Object.keys(after), ...Object.keys(before).filter((key) => !Object.hasOwn(after, key))]
}

function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, index) => isEqual(one, b[index]))
  if (!isRecord(a) || !isRecord(b)) return false
  return keysOf(a, b).every((key) => isEqual(a[key], b[key]))
}

function isRecord(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
