/** Looks again at keys whose row online is not the one that is expected, and says why. */
import type {FeatureRows} from '../compile/query.js'
import type {Instant} from '../definitions/instant.js'
import type {Value} from '../definitions/value-type.js'
import type {OfflineStore, ReadOptions} from '../offline/offline-store.js'
import type {EntityKey, OnlineRow, OnlineTable} from '../online/online-store.js'
import type {Arrivals} from './arrivals.js'
import {equalValues} from './equal-values.js'
import type {PacedReader} from './paced-reader.js'
import {sourceAt} from './source-at.js'
import type {Difference, DifferenceKind} from './verification.js'

/** A row of the source that must be online. */
export interface ExpectedRow extends OnlineRow {
  readonly createdTimestamp: Instant | null
}

export interface Suspect {
  readonly key: EntityKey
  /** Undefined where no row has to be online. */
  readonly expected: ExpectedRow | undefined
}

export type Verdict = 'equal' | 'due' | Difference

export interface JudgeContext {
  readonly table: OnlineTable
  readonly rows: FeatureRows
  readonly offline: OfflineStore
  readonly reader: PacedReader
  readonly arrivals: Arrivals
  /** Rows of before are not served, now; undefined: all are. */
  readonly oldestServed: () => Instant | undefined
  readonly options: ReadOptions
}

/** Whether the store answers what the source says: the same row, or none that is served on either side. */
export function agree(
  expected: OnlineRow | undefined,
  found: OnlineRow | undefined,
  oldestServed: Instant | undefined,
): boolean {
  if (!isServed(expected, oldestServed) && !isServed(found, oldestServed)) return true
  return (
    expected?.eventTimestamp === found?.eventTimestamp && equalValues(valuesOf(expected), valuesOf(found))
  )
}

/**
 * One verdict for each suspect, in order. The store is read again, since a replica may have lagged or a run may have been
 * there; and the source is asked about rows that are newer than what it had when it was read.
 */
export async function judgeSuspects(
  suspects: readonly Suspect[],
  context: JudgeContext,
): Promise<readonly Verdict[]> {
  const {reader, table, offline, rows, options} = context
  const found = await reader.read(
    table,
    suspects.map(({key}) => key),
  )
  const oldestServed = context.oldestServed()
  const open = suspects.map((suspect, index) => ({...suspect, found: found[index]}))
  const asked = open.flatMap(({key, expected, found: row}) =>
    row !== undefined && !agree(expected, row, oldestServed) && isNotOlder(row, expected)
      ? [{key, time: row.eventTimestamp, row}]
      : [],
  )
  const answers = await sourceAt(offline, rows, asked, options)
  const sourceOf = new Map(asked.map(({row}, index) => [row, answers[index]]))
  const verdicts: Verdict[] = []
  for (const one of open) {
    const source = one.found === undefined ? undefined : sourceOf.get(one.found)
    verdicts.push(agree(one.expected, one.found, oldestServed) ? 'equal' : await judge(one, source, context))
  }
  return verdicts
}

/** `source`: what the source now says of the key at the time of the row that was found. */
async function judge(
  {key, expected, found}: Suspect & {readonly found: OnlineRow | undefined},
  source: readonly (Value | null)[] | undefined,
  {arrivals, table}: JudgeContext,
): Promise<Verdict> {
  const difference = (kind: DifferenceKind, wanted: OnlineRow | undefined): Difference =>
    differenceOf(kind, {key, expected: wanted, found}, table)

  if (found !== undefined && isNotOlder(found, expected)) {
    if (source !== undefined && equalValues(source, found.values)) return 'equal'
    if (expected?.eventTimestamp !== found.eventTimestamp) {
      return source === undefined
        ? difference('extra', expected)
        : difference('different', {eventTimestamp: found.eventTimestamp, values: source})
    }
    // The row was corrected after it was read for this: what the store should hold is no longer known.
    if (source !== undefined && !equalValues(source, expected.values)) return 'due'
  }
  if (expected === undefined) throw new Error('a key of which nothing is expected or found is no suspect')
  if (await arrivals.isNew(expected.createdTimestamp)) return 'due'
  return difference(found === undefined ? 'missing' : 'different', expected)
}

function differenceOf(
  kind: DifferenceKind,
  {
    key,
    expected,
    found,
  }: {
    readonly key: EntityKey
    readonly expected: OnlineRow | undefined
    readonly found: OnlineRow | undefined
  },
  {joinKeys, features}: OnlineTable,
): Difference {
  const all = features.map(({name, valueType}, index) => ({
    name,
    valueType,
    expected: expected?.values[index] ?? null,
    found: found?.values[index] ?? null,
  }))
  return {
    kind,
    key: joinKeys.map(({name, valueType}, index) => ({name, valueType, value: key[index] as Value})),
    eventTimestamp: {
      expected: expected?.eventTimestamp ?? null,
      found: found?.eventTimestamp ?? null,
    },
    features: kind === 'different' ? all.filter((one) => !equalValues(one.expected, one.found)) : all,
  }
}

function isServed(row: OnlineRow | undefined, oldestServed: Instant | undefined): boolean {
  return row !== undefined && (oldestServed === undefined || row.eventTimestamp >= oldestServed)
}

function isNotOlder(found: OnlineRow, expected: OnlineRow | undefined): boolean {
  return expected === undefined || found.eventTimestamp >= expected.eventTimestamp
}

function valuesOf(row: OnlineRow | undefined): readonly (Value | null)[] {
  return row?.values ?? []
}
