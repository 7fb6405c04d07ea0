import type {FeatureRows, KeyColumn, TypedColumn, ViewJoin} from '../compile/query.js'
import {valueAt} from '../definitions/column-batch.js'
import type {Instant} from '../definitions/instant.js'
import type {Value} from '../definitions/value-type.js'
import type {OfflineStore, ReadOptions} from '../offline/offline-store.js'
import type {EntityKey} from '../online/online-store.js'

const entityColumn = (index: number): string => `k${index}`
const outputColumn = (index: number): string => `f${index}`

/**
 * The feature values of the source at exactly the time asked for, of each key, in the order asked; undefined where it has
 * no row of the key at that time. It is the historical answer itself, with a ttl of nothing.
 */
export async function sourceAt(
  offline: Pick<OfflineStore, 'retrieve'>,
  rows: FeatureRows,
  asked: readonly {readonly key: EntityKey; readonly time: Instant}[],
  options: ReadOptions,
): Promise<readonly (readonly (Value | null)[] | undefined)[]> {
  if (asked.length === 0) return []
  const {keys, features} = rows
  // A key is never null, so as the first feature it says whether there is a row at all.
  const [marker] = keys as readonly [KeyColumn]
  const outputs: readonly TypedColumn[] = [marker, ...features]
  const timestampColumn = 'time'
  const join: ViewJoin = {
    alias: rows.view,
    rows: {...rows, features: outputs},
    entityColumns: keys.map((_, index) => entityColumn(index)),
    ttl: 0n,
    knowledgeTime: false,
    outputs: outputs.map(({name}, index) => ({feature: name, as: outputColumn(index)})),
  }
  await using job = await offline.retrieve({
    kind: 'point_in_time',
    entityRows: {
      kind: 'values',
      columns: [
        ...keys.map(({valueType}, index) => ({name: entityColumn(index), valueType})),
        {name: timestampColumn, valueType: 'timestamp'},
      ],
      rows: asked.map(({key, time}) => [...key, time]),
    },
    timestampColumn,
    joins: [join],
  })
  const found: ((Value | null)[] | undefined)[] = []
  for await (const batch of job.batches(options)) {
    const columns = batch.columns.slice(keys.length + 1)
    for (let row = 0; row < batch.rowCount; row += 1) {
      const [present, ...values] = columns.map((column) => valueAt(column, row))
      found.push(present === null ? undefined : values)
    }
  }
  return found
}
