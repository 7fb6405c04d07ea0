/** The jars of Cassandra: Maven fetches them into its own repository, the cache remembers where they lie. */
import {spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readFileSync, renameSync} from 'node:fs'
import {delimiter, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {cacheFolder} from './cache-folder.mjs'

const pom = fileURLToPath(new URL('cassandra-pom.xml', import.meta.url))
const pomHash = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)
const cached = join(cacheFolder, `cassandra-${pomHash}.classpath`)

/**
 * The classpath, or undefined where a jar is missing. Asks nothing of the network.
 *
 * @returns {string | undefined}
 */
export function readClasspath() {
  if (!existsSync(cached)) return undefined
  const classpath = readFileSync(cached, 'utf8')
  return classpath.split(delimiter).every((jar) => existsSync(jar)) ? classpath : undefined
}

/** Fetches what is missing from Maven Central, or the mirror of Maven's settings. Throws with what Maven said. */
export function fetchClasspath() {
  mkdirSync(cacheFolder, {recursive: true})
  const written = `${cached}.${process.pid}`
  const goal = ['dependency:build-classpath', `-Dmdep.outputFile=${written}`]
  const {status, stdout, stderr, error} = spawnSync('mvn', ['-q', '-B', '-f', pom, ...goal], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`Maven can't fetch Cassandra: ${error?.message ?? stdout + stderr}`)
  renameSync(written, cached)
}
