import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {loadRepoConfig} from '../../src/config/load-repo-config.js'
import type {SourceTree} from '../../src/compile/query.js'
import type {Definitions} from '../../src/definitions/definition.js'
import type {ValueType} from '../../src/definitions/value-type.js'
import type {FeatureStoreError, Problem} from '../../src/errors.js'
import {reservedColumnsOf} from '../../src/online/drivers.js'
import type {DescribedColumn} from '../../src/repo/describe-sources.js'
import {loadRepo} from '../../src/repo/load-repo.js'
import type {RepoContents} from '../../src/repo/repo-contents.js'
import {validateRepo} from '../../src/repo/validate-repo.js'

/** A repo in a folder of its own. */
export class RepoFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'fs-repo-'))

  constructor(files: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries({'feature_store.yaml': 'project: rides\n', ...files})) {
      mkdirSync(dirname(join(this.path, name)), {recursive: true})
      writeFileSync(join(this.path, name), text)
    }
  }

  async load(): Promise<RepoContents> {
    return loadRepo(await loadRepoConfig(this.path, {}))
  }

  async validate(columns: Columns = driverColumns): Promise<Definitions> {
    const {onlineStore} = await loadRepoConfig(this.path, {})
    const reserved = {storeType: onlineStore.type, columns: reservedColumnsOf(onlineStore.type)}
    return validateRepo(await this.load(), (tree) => Promise.resolve(describe(tree, columns)), reserved)
  }

  async problems(columns: Columns = driverColumns): Promise<readonly Problem[]> {
    return this.validate(columns).then(
      () => [],
      (error: unknown) => {
        if ((error as FeatureStoreError).code !== 'FS_VALIDATION_FAILED') throw error
        return (error as FeatureStoreError).problems
      },
    )
  }

  remove(): void {
    rmSync(this.path, {recursive: true, force: true})
  }
}

/** The columns of every source, as name and type; a type that is no value type is a native one. */
export type Columns = Readonly<Record<string, string>>

export const driverColumns: Columns = {
  driver_id: 'int64',
  event_timestamp: 'timestamp',
  created: 'timestamp',
  conv_rate: 'float64',
  acc_rate: 'float64',
}

export const driverYaml = `kind: entity
name: driver
join_keys: [{name: driver_id, value_type: int64}]
---
kind: data_source
name: driver_stats
type: file
path: data/driver_stats.parquet
timestamp_field: event_timestamp
created_timestamp_column: created
`

export const viewYaml = `kind: feature_view
name: driver_hourly_stats
entities: [driver]
source: driver_stats
schema: [{name: conv_rate, dtype: float64}]
`

function describe(_: SourceTree, columns: Columns): readonly DescribedColumn[] {
  return Object.entries(columns).map(([name, type]) =>
    type === type.toUpperCase()
      ? {name, nativeType: type}
      : {name, nativeType: type.toUpperCase(), valueType: type as ValueType},
  )
}
