import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {openOfflineStore} from '../../src/offline/drivers.js'
import {describeOfflineStore} from '../conformance/offline-store.js'
import {writeParquet} from '../support/parquet.js'

for (const threads of [1, 4]) {
  describeOfflineStore(`DuckDB with ${threads} ${threads === 1 ? 'thread' : 'threads'}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fs-offline-'))
    const store = await openOfflineStore({type: 'duckdb', settings: {threads}}, {repoDirectory: directory})
    const source = (name: string, timestampField: string) =>
      ({kind: 'data_source', name, type: 'file', path: `${name}.parquet`, timestampField}) as const
    return {
      store,
      directory,
      async writeSource(name, columns, rows, timestampField, createdTimestampColumn) {
        await writeParquet(join(directory, `${name}.parquet`), columns, rows)
        return {
          ...source(name, timestampField),
          ...(createdTimestampColumn === undefined ? {} : {createdTimestampColumn}),
        }
      },
      missingSource: (name) => source(name, 'event_timestamp'),
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]()
        await rm(directory, {recursive: true, force: true})
      },
    }
  })
}
