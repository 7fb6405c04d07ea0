// Repos of drivers and their Parquet files, which most benchmarks are about.
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {withDuckDb} from './parts.mjs'

export const features = Array.from({length: 10}, (_, index) => `f${index}`)

/** Writes feature_store.yaml with further blocks, `{online_store: …}` say. */
export function writeSettings(folder, blocks = {}) {
  writeYaml(join(folder, 'feature_store.yaml'), [{project: 'bench', ...blocks}])
}

/**
 * Writes features.yaml with a view of doubles for each of `{name, path, features?, ttl?, online?, created?}`. Paths are
 * relative to the folder; `created` is the column of the created timestamp.
 */
export function writeDriverViews(folder, views) {
  const driver = {
    kind: 'entity',
    name: 'driver',
    join_keys: [{name: 'driver_id', value_type: 'int64'}],
  }
  const definitions = views.flatMap(({name, path, features: names = features, created, ...settings}) => [
    {
      kind: 'data_source',
      name: `${name}_source`,
      type: 'file',
      path,
      timestamp_field: 'event_timestamp',
      created_timestamp_column: created,
    },
    {
      kind: 'feature_view',
      name,
      entities: ['driver'],
      source: `${name}_source`,
      schema: names.map((feature) => ({name: feature, dtype: 'float64'})),
      ...settings,
    },
  ])
  writeYaml(join(folder, 'features.yaml'), [driver, ...definitions])
}

/** Writes a Parquet file with one row for each of `drivers`, within some minutes; `salt` makes other values. */
export function writeDrivers(file, drivers, {features: names = features, salt = 0} = {}) {
  const values = names.map((name, index) => `hash(range * 10 + ${index + salt}) / 1.8e19 AS ${name}`)
  return withDuckDb((connection) =>
    connection.run(`COPY (SELECT range AS driver_id, TIMESTAMP '2024-01-01' + to_seconds(range % 1000) AS event_timestamp,
      ${values.join(', ')} FROM range(${drivers})) TO '${file}' (FORMAT parquet)`),
  )
}

/** JSON is YAML; what is undefined is left out. */
function writeYaml(file, documents) {
  writeFileSync(file, documents.map((document) => `${JSON.stringify(document)}\n`).join('---\n'))
}
