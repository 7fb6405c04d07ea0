import {copyFileSync, existsSync, mkdirSync, renameSync} from 'node:fs'
import {join} from 'node:path'
import {cacheFolder} from './cache-folder.mjs'
import {pythonFiles} from './python-tools.mjs'

/** An extension loads in the very version of DuckDB that it is built for: that of `@duckdb/node-api` in package.json. */
const version = '1.5.5'
const names = ['httpfs', 'aws', 'avro', 'iceberg', 'delta']

/** DuckDB's names of platforms: https://duckdb.org/docs/stable/dev/building/overview */
const platform = `${process.platform === 'darwin' ? 'osx' : process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`

/** What DuckDB's setting `extension_directory` takes. */
export const duckDbExtensionDirectory = join(cacheFolder, `duckdb-extensions-${version}`)

/**
 * Puts DuckDB's signed extensions where LOAD looks for them, from the packages that DuckDB's makers publish on PyPI, as
 * duckdb-extension-httpfs. May run twice; fetches once.
 *
 * @returns {string} `duckDbExtensionDirectory`
 */
export function installDuckDbExtensions() {
  const folder = join(duckDbExtensionDirectory, `v${version}`, platform)
  const fileOf = (name) => join(folder, `${name}.duckdb_extension`)
  if (names.every((name) => existsSync(fileOf(name)))) return duckDbExtensionDirectory
  const packages = join(cacheFolder, `duckdb-extension-packages-${version}`)
  pythonFiles(
    packages,
    names.map((name) => `duckdb-extension-${name}==${version}`),
  )
  mkdirSync(folder, {recursive: true})
  for (const name of names) {
    const part = `${fileOf(name)}.${process.pid}`
    copyFileSync(
      join(packages, `duckdb_extension_${name}`, 'extensions', `v${version}`, `${name}.duckdb_extension`),
      part,
    )
    renameSync(part, fileOf(name))
  }
  return duckDbExtensionDirectory
}
