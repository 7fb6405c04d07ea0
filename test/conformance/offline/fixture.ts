import type {TypedColumn} from '../../../src/compile/query.js'
import type {DataSource} from '../../../src/definitions/definition.js'
import type {OfflineStore} from '../../../src/offline/offline-store.js'
import type {Row} from '../../support/oracle.js'

/** A store under test, and the means to give it something to read. */
export interface OfflineStoreFixture extends AsyncDisposable {
  readonly store: OfflineStore
  /** A folder of this machine for files of entity rows and of frames. */
  readonly directory: string
  /** Keeps rows where the store reads them, as a file or a table of this name. Each name is written once. */
  writeSource(
    name: string,
    columns: readonly TypedColumn[],
    rows: readonly Row[],
    timestampField: string,
    createdTimestampColumn?: string,
  ): Promise<DataSource>
  /** A source whose file or table, of this name, isn't there. */
  missingSource(name: string): DataSource
}

/** What each part of the suite is given. */
export interface OfflineSuite {
  /** A test of one rule; a declared gap must fail. */
  readonly contract: (title: string, body: (fixture: OfflineStoreFixture) => Promise<void>) => void
  /** How many random cases a property is tried with. */
  readonly runs: number
}
