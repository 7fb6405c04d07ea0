import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {openOfflineStore} from '../../src/offline/drivers.js'
import {describeOfflineStore} from '../conformance/offline-store.js'
import {writeParquet} from '../support/parquet.js'

for (const [name, threads, isZoned] of [
  ['with one thread', 1, () => false],
  ['with times as TIMESTAMPTZ', 4, () => true],
  ['with times of some sources as TIMESTAMPTZ', 2, (source: number) => source % 2 === 0],
] as const) {
  describeOfflineStore(`DuckDB ${name}`, async () => {
    let sources = 0
    const directory = await mkdtemp(join(tmpdir(), 'fs-offline-'))
    const store = await openOfflineStore({type: 'duckdb', settings: {threads}}, {repoDirectory: directory})
    const source = (name: string, timestampField: string) =>
      ({kind: 'data_source', name, type: 'file', path: `${name}.parquet`, timestampField}) as const
    return {
      store,
      directory,
      async writeSource(name, columns, rows, timestampField, createdTimestampColumn) {
        const times = [timestampField, createdTimestampColumn].filter((column) => column !== undefined)
        const zoned = isZoned((sources += 1)) ? times : []
        await writeParquet(join(directory, `${name}.parquet`), columns, rows, {zoned})
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
