import {quoteName as quoteHome, quoteText as quoteHomeText} from '../../compile/dialects/duckdb-names.js'
import {nativeTypeOf} from '../../compile/dialects/duckdb-types.js'
import {keyUpload} from '../../compile/dialects/redshift-keys.js'
import {counted, timestampOf} from '../../compile/dialects/redshift-types.js'
import {redshift} from '../../compile/dialects/redshift.js'
import {duckDb} from '../../compile/dialects/duckdb.js'
import {EntityKeys} from '../../compile/entity-keys.js'
import {entityName, type EntityRelation} from '../../compile/entity-relation.js'
import {compileEntityRows} from '../../compile/entity-rows.js'
import {entityRow, entityTable, entityTime} from '../../compile/entity-table.js'
import {frameOutputs} from '../../compile/frame-outputs.js'
import type {PointInTimeQuery} from '../../compile/query.js'
import {asStatement} from '../../compile/relations.js'
import {settlingOrder, typedRows, type ReadableJoin} from '../../compile/source-rows.js'
import {BoundValues, literalValues} from '../../compile/sql-values.js'
import {compileViewMatches, type ViewMatches} from '../../compile/view-matches.js'
import {usedFeatures} from '../../compile/view-rows.js'
import type {DuckDbSession} from '../duckdb/duckdb-session.js'
import type {NativeColumn} from '../duckdb/frame-columns.js'
import {FrameJob} from '../duckdb/frame-job.js'
import type {Statement} from '../duckdb/run-steps.js'
import type {DataApi} from './data-api.js'
import {homeSource, sentColumns} from './home-rows.js'
import {hasRows, runWarehouseSteps} from './run-warehouse-steps.js'
import type {StagingArea} from './staging-area.js'
import type {WarehouseEntities} from './warehouse-entities.js'
import {WarehouseSession} from './warehouse-session.js'

const uploaded = '"frame.uploaded"'
const rowNumber = '"row"'

export interface RetrievalParts {
  readonly api: DataApi
  readonly home: DuckDbSession
  readonly staging: StagingArea
  readonly query: PointInTimeQuery
  readonly entities: WarehouseEntities
  readonly joins: readonly ReadableJoin[]
  readonly close: () => Promise<void>
}

/**
 * A training frame whose rows the warehouse chooses. Of the entity rows only numbers, times and keys go there; chosen rows
 * come back in the same order and are put beside the entity rows at home, where their values are cast and checked.
 */
export class RedshiftRetrievalJob extends FrameJob {
  readonly #parts: RetrievalParts

  constructor(parts: RetrievalParts) {
    super(parts.home, parts.query, [...parts.entities.columns, ...parts.joins.flatMap(outputTypes)])
    this.#parts = parts
  }

  get sql(): string {
    const {query, entities} = this.#parts
    const keys = new EntityKeys(query, {columns: entities.columns, write: () => ''})
    const matches = this.#matches(keys)
    return asStatement(
      {relations: [...matches.searches, ...matches.rows], select: () => this.#chosen(matches)},
      redshift,
    )
  }

  async countRows(): Promise<number> {
    await using session = new WarehouseSession(this.#parts.api)
    const entityRows = await this.#parts.entities.fetch(session)
    const values = new BoundValues()
    const [[count] = []] = await this.#parts.home.rows(
      `SELECT count(*) FROM ${entityRows.write(values)} AS entity_rows`,
      values.parameters,
    )
    return Number(count)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.close()
  }

  protected async prepare(
    limit: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Statement & AsyncDisposable> {
    const sql = await this.#run(limit, signal)
    const end = async (): Promise<void> => {
      await this.#parts.home.run(`DROP TABLE IF EXISTS ${entityTable}`)
    }
    return {sql, parameters: [], [Symbol.asyncDispose]: end}
  }

  async #run(limit: number | undefined, signal: AbortSignal | undefined): Promise<string> {
    const {api, staging, query, entities, joins} = this.#parts
    await using session = new WarehouseSession(api, signal)
    const chosen = await session.transaction(async () => {
      const entityRows = await entities.fetch(session)
      const keys = new EntityKeys(query, entityRows)
      await this.#numberAtHome(entityRows, keys, limit, signal)
      await this.#upload(session, keys, signal)
      const matches = this.#matches(keys)
      const select = await runWarehouseSteps(session, {
        relations: [...matches.searches, ...matches.rows],
        select: () => this.#chosen(matches),
      })
      const parts = await staging.unload(session, select, 'kept')
      return {parts, several: await this.#haveSeveral(session), columns: entityRows.columns}
    })
    // The warehouse is not kept waiting for what travels.
    const files = await staging.fetch(chosen.parts, signal)
    const views = joins.map((_, index) => this.#viewAtHome(index, files, chosen.several))
    const outputs = [
      ...chosen.columns.map(({name}, index) => `entity.${entityName(index)} AS ${quoteHome(name)}`),
      ...joins.flatMap((join, index) =>
        frameOutputs(join.join, this.#homeSource(index, files), (name) => `v${index}.${name}`),
      ),
    ]
    // Rows side by side must have one number, or what came back is not what was asked for.
    const isWhole = joins.map((_, index) => `v${index}.${rowNumber} = entity.${entityRow}`).join(' AND ')
    return `SELECT ${outputs.join(', ')}
FROM (SELECT * FROM ${entityTable}) AS entity
${views.map((view, index) => `POSITIONAL JOIN ${view} AS v${index}`).join('\n')}
WHERE CASE WHEN coalesce(${isWhole}, false) THEN true ELSE error('rows of the warehouse are not those that were asked for') END`
  }

  async #numberAtHome(
    entityRows: EntityRelation,
    keys: EntityKeys,
    limit: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const {home, query} = this.#parts
    const values = new BoundValues()
    const {timestampColumn} = query
    const sql = compileEntityRows({
      timestampColumn,
      entityRows,
      keys,
      values,
      dialect: duckDb,
      limit,
    })
    await home.run(`CREATE OR REPLACE TEMP TABLE ${entityTable} AS ${sql}`, values.parameters, signal)
  }

  async #upload(session: WarehouseSession, keys: EntityKeys, signal: AbortSignal | undefined): Promise<void> {
    const {home, staging} = this.#parts
    const uploads = keys.all.map(({name, type}) => ({name, ...keyUpload(type)}))
    const path = `${await staging.folder()}/entities.parquet`
    const sent = uploads.map(({name, sent: write}, index) => `${write(name)} AS k${index}`)
    await home.run(
      `COPY (SELECT ${[`${entityRow} AS "row"`, `epoch_us(${entityTime}) AS "at"`, ...sent].join(', ')} FROM ${entityTable}) TO ${quoteHomeText(path)} (FORMAT parquet)`,
      [],
      signal,
    )
    const columns = uploads.map(({column}, index) => `k${index} ${column}`)
    await session.run(
      `CREATE TEMP TABLE ${uploaded} (${['row_number bigint', 'at_time bigint', ...columns].join(', ')})`,
    )
    await staging.load(session, path, uploaded)
    const received = uploads.map(({name, received: read}, index) => `${read(`k${index}`)} AS ${name}`)
    const at = timestampOf(counted('at_time'))
    await session.run(
      `CREATE TEMP TABLE ${entityTable} AS SELECT ${[`row_number AS ${entityRow}`, `${at} AS ${entityTime}`, ...received].join(', ')} FROM ${uploaded} AS uploaded`,
    )
  }

  #matches(keys: EntityKeys): ViewMatches {
    const {query, joins} = this.#parts
    return compileViewMatches({query, joins, entity: keys, values: literalValues, dialect: redshift})
  }

  /** Of each entity row its number, and the columns of the rows that were found. */
  #chosen({from}: ViewMatches): string {
    const columns = this.#parts.joins.flatMap(({join, source}, index) =>
      sentColumns(
        {rows: join.rows, source},
        {alias: `v${index}`, prefix: `v${index}_`, features: usedFeatures(join, source), hasCreated: false},
      ),
    )
    return `SELECT ${[`entity.${entityRow} AS "row"`, ...columns].join(', ')}
FROM ${from()}
ORDER BY entity.${entityRow}`
  }

  /** Whether an entity row may have come with several rows of a view: such that the warehouse can't put in order. */
  async #haveSeveral(session: WarehouseSession): Promise<boolean> {
    for (const [index, {join, source}] of this.#parts.joins.entries())
      if (!settlingOrder({rows: join.rows, source}).isTotal && (await hasRows(session, `"v${index}.tied"`)))
        return true
    return false
  }

  #homeSource(index: number, files: string): ReturnType<typeof homeSource> {
    const {join, source} = this.#parts.joins[index] as ReadableJoin
    return homeSource({rows: join.rows, source}, files, {
      prefix: `v${index}_`,
      features: usedFeatures(join, source),
      hasCreated: false,
      more: [rowNumber],
    })
  }

  #viewAtHome(index: number, files: string, several: boolean): string {
    const {join, source} = this.#parts.joins[index] as ReadableJoin
    const features = usedFeatures(join, source)
    const readable = {rows: withoutCreated(join), source: this.#homeSource(index, files)}
    const rows = typedRows(readable, {features, more: [rowNumber]})
    if (!several) return rows
    const isAll = features.length === join.rows.features.length
    const order = isAll ? ` ORDER BY ${settlingOrder(readable).sql}` : ''
    return `(SELECT * FROM ${rows} QUALIFY row_number() OVER (PARTITION BY ${rowNumber}${order}) = 1 ORDER BY ${rowNumber})`
  }
}

/** Rows of one time that are left have one created time too. */
function withoutCreated({rows}: ReadableJoin['join']): ReadableJoin['join']['rows'] {
  const {createdTimestampColumn: _, ...source} = rows.source.source
  return {...rows, source: {...rows.source, source}}
}

/** Names of a view's columns in the frame, with the types that they have there. */
function outputTypes({join, source}: ReadableJoin): readonly NativeColumn[] {
  return join.outputs.map(({feature, as}) => {
    const type = join.rows.features.find(({name}) => name === feature)?.valueType ?? 'string'
    const native = source.columns.find(({name}) => name.toLowerCase() === feature.toLowerCase())?.nativeType
    return {
      name: as,
      nativeType:
        type === 'timestamp' && native === 'timestamptz' ? 'TIMESTAMP WITH TIME ZONE' : nativeTypeOf(type),
    }
  })
}
