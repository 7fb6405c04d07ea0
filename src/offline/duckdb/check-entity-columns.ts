import {valueTypeOf} from '../../compile/dialects/duckdb-types.js'
import type {EntityRelation} from '../../compile/entity-relation.js'
import type {PointInTimeQuery} from '../../compile/query.js'
import {assignability} from '../../definitions/type-compatibility.js'
import {FeatureStoreError} from '../../errors.js'
import {frameTypeOf} from './frame-columns.js'

/** The columns that the frame needs, with types that can be what the views declare. */
export function checkEntityColumns(query: PointInTimeQuery, {columns}: EntityRelation): void {
  const typeOf = new Map(columns.map(({name, nativeType}) => [name, nativeType]))
  const needed = [query.timestampColumn, ...new Set(query.joins.flatMap(({entityColumns}) => entityColumns))]
  const missing = needed.filter((name) => !typeOf.has(name))
  if (missing.length > 0) {
    throw new FeatureStoreError(
      'FS_ENTITY_ROWS_INVALID',
      `The entity rows have no column ${missing.map((name) => `\`${name}\``).join(' and no ')}. Their columns: ${columns.map(({name}) => name).join(', ')}.`,
      {
        hint: missing.includes(query.timestampColumn)
          ? 'Name the column of the event time with --timestamp-column (SDK: `timestampColumn`).'
          : 'Add the column, or map the join key to another one with join_key_map of a feature service.',
      },
    )
  }
  const time = typeOf.get(query.timestampColumn) as string
  if (!['timestamp', 'date', 'string'].includes(frameTypeOf(time))) {
    throw new FeatureStoreError(
      'FS_ENTITY_ROWS_INVALID',
      `Column \`${query.timestampColumn}\` of the entity rows is ${time}. Expected a timestamp, a date or ISO text.`,
      {hint: 'Cast it, or name another column with --timestamp-column (SDK: `timestampColumn`).'},
    )
  }
  const taken = new Set(columns.map(({name}) => name.toLowerCase()))
  for (const {rows, entityColumns, outputs} of query.joins) {
    rows.keys.forEach(({name: key, valueType}, index) => {
      const name = entityColumns[index] as string
      const native = typeOf.get(name) as string
      const given = valueTypeOf(native)
      if (given !== undefined && assignability(given, valueType) !== 'no') return
      throw new FeatureStoreError(
        'FS_ENTITY_KEY_INVALID',
        `Column \`${name}\` of the entity rows is ${native}, and join key \`${key}\` of view \`${rows.view}\` is ${valueType}.`,
        {hint: `Give \`${name}\` as ${valueType}.`},
      )
    })
    const clash = outputs.find(({as}) => taken.has(as.toLowerCase()))
    if (clash !== undefined) {
      throw new FeatureStoreError(
        'FS_REFERENCE_AMBIGUOUS',
        `Two columns would be named \`${clash.as}\`: one of the entity rows and \`${rows.view}:${clash.feature}\`.`,
        {
          hint: 'Ask for full feature names: --full-feature-names (SDK: `fullFeatureNames: true`), or rename the column.',
        },
      )
    }
  }
}
