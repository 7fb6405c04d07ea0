import {existsSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {fileURLToPath} from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const named = process.env['FEATURE_REPO_REAL_DATA']

/**
 * The folder of public sample files that are too large to ship: what FEATURE_REPO_REAL_DATA says, whether they are there or
 * not, or beside the clone. Undefined where nobody named one and there is none.
 */
export const realFiles =
  named === undefined
    ? [resolve(root, '../shared/data')].find((folder) => existsSync(join(folder, 'loan_table.parquet')))
    : resolve(root, named)
