import {spawnSync} from 'node:child_process'
import {existsSync, readdirSync} from 'node:fs'
import {join} from 'node:path'

/** Debian's place of all its Javas. */
const systemFolder = '/usr/lib/jvm'

/**
 * The path of a Java 17, or undefined: Cassandra 5 runs on no newer one.
 *
 * @returns {string | undefined}
 */
export function findJava() {
  const homes = [process.env.JAVA_HOME, ...systemHomes()].filter(Boolean)
  return ['java', ...homes.map((home) => join(home, 'bin', 'java'))].find(isJava17)
}

function systemHomes() {
  return existsSync(systemFolder) ? readdirSync(systemFolder).map((name) => join(systemFolder, name)) : []
}

function isJava17(command) {
  const {status, stderr} = spawnSync(command, ['-version'], {encoding: 'utf8'})
  return status === 0 && /version "17\./.test(stderr)
}
