import {randomUUID} from 'node:crypto'
import {fieldJson, metadataOf} from './columns.mjs'

/** How many rows a page of results has; the service's own pages are bounded by bytes. */
const pageRows = 1000

/** One statement, or one part of a batch, from its submission on. */
export class Statement {
  id
  status = 'SUBMITTED'
  createdAt = Date.now() / 1000
  updatedAt = this.createdAt
  /** @type {string | undefined} */
  error
  isCancelled = false
  /** Ends the work that is under way, if any is. @type {(() => Promise<void>) | undefined} */
  interrupt
  /** The call of it that is under way. @type {Promise<void> | undefined} */
  interrupting
  /** Of a batch. @type {Statement[]} */
  parts = []
  /** Known once it has finished. @type {{columns?: import('./columns.mjs').Column[], rows?: (string | null)[][], changed: number} | undefined} */
  result
  /** Process of the session at the engine. */
  pid = 0
  /** Resolves when it has ended, however. */
  ended
  #end
  #startedAt

  /**
   * @param {{sql: string, parameters?: readonly {name: string, value: string}[], origin?: object, name?: string, format?: string, id?: string}} asked
   *   `origin`: where it runs, as it is told again: `Database`, `WorkgroupName` and so on.
   */
  constructor({sql, parameters = [], origin = {}, name, format = 'JSON', id = randomUUID()}) {
    this.id = id
    this.sql = sql
    this.parameters = parameters
    this.origin = origin
    this.name = name
    this.format = format
    this.ended = new Promise((resolve) => (this.#end = resolve))
  }

  get isOver() {
    return ['FINISHED', 'FAILED', 'ABORTED'].includes(this.status)
  }

  get hasResultSet() {
    return this.result?.columns !== undefined
  }

  /** @param {'PICKED' | 'STARTED' | 'FINISHED' | 'FAILED' | 'ABORTED'} status */
  become(status) {
    if (this.isOver) return
    this.status = status
    this.updatedAt = Date.now() / 1000
    if (status === 'STARTED') this.#startedAt = performance.now()
    if (this.isOver) {
      this.duration =
        this.#startedAt === undefined ? -1 : Math.round((performance.now() - this.#startedAt) * 1e6)
      this.#end()
    }
  }

  fail(error) {
    this.error = error
    this.become('FAILED')
  }

  /** The members of DescribeStatement. */
  describe() {
    return {
      ...this.#common(),
      ...this.origin,
      Id: this.id,
      RedshiftPid: this.pid,
      ResultFormat: this.format.toLowerCase(),
      ...(this.parameters.length > 0 ? {QueryParameters: this.parameters} : {}),
      ...(this.parts.length > 0
        ? {SubStatements: this.parts.map((part) => ({...part.#common(), Id: part.id}))}
        : {QueryString: this.sql}),
    }
  }

  #common() {
    return {
      Status: this.status,
      CreatedAt: this.createdAt,
      UpdatedAt: this.updatedAt,
      Duration: this.duration ?? -1,
      HasResultSet: this.hasResultSet || this.parts.some((part) => part.hasResultSet),
      QueryString: this.sql,
      RedshiftQueryId: this.status === 'SUBMITTED' ? -1 : 1,
      ResultRows: this.result?.changed ?? -1,
      ResultSize: this.hasResultSet ? this.#resultBytes() : this.isOver ? 0 : -1,
      ...(this.error === undefined ? {} : {Error: this.error}),
    }
  }

  /** An entry of ListStatements. */
  entry() {
    return {
      Id: this.id,
      Status: this.status,
      CreatedAt: this.createdAt,
      UpdatedAt: this.updatedAt,
      IsBatchStatement: this.parts.length > 0,
      ...(this.parts.length > 0 ? {QueryStrings: this.parts.map(({sql}) => sql)} : {QueryString: this.sql}),
      ...(this.name === undefined ? {} : {StatementName: this.name}),
      ResultFormat: this.format.toLowerCase(),
      ...(this.origin.SessionId === undefined ? {} : {SessionId: this.origin.SessionId}),
    }
  }

  /** A page of the rows as JSON text; whole numbers keep their digits. */
  page(first) {
    const {columns, rows} = this.result
    const end = first + pageRows
    const records = rows
      .slice(first, end)
      .map((row) => `[${row.map((value, index) => fieldJson(value, columns[index])).join(',')}]`)
    const next =
      end < rows.length ? `,"NextToken":${JSON.stringify(Buffer.from(String(end)).toString('base64'))}` : ''
    return `{"ColumnMetadata":${JSON.stringify(columns.map(metadataOf))},"Records":[${records.join(',')}],"TotalNumRows":${rows.length}${next}}`
  }

  #resultBytes() {
    const {rows} = this.result
    return rows.reduce((sum, row) => sum + row.reduce((bytes, value) => bytes + (value?.length ?? 0), 0), 0)
  }
}
