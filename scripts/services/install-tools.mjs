import {spawnSync} from 'node:child_process'
import {readClasspath} from './cassandra-classpath.mjs'
import {findJava} from './java.mjs'
import {findPostgres} from './postgres-server.mjs'

/** What must be there, how that is seen, and Debian's package of it. */
const tools = [
  {name: 'redis-server', package: 'redis-server', isThere: () => isInstalled('redis-server')},
  {name: 'redis-cli', package: 'redis-tools', isThere: () => isInstalled('redis-cli')},
  {name: 'PostgreSQL', package: 'postgresql', isThere: () => findPostgres() !== undefined},
  {name: 'openssl', package: 'openssl', isThere: () => isInstalled('openssl')},
  {name: 'Java 17', package: 'openjdk-17-jre-headless', isThere: () => findJava() !== undefined},
  // The stand-in for AWS runs on it. Debian's own comes without ensurepip.
  {
    name: 'Python with venv and pip',
    package: 'python3-venv python3-pip',
    isThere: () => spawnSync('python3', ['-c', 'import ensurepip, pip'], {stdio: 'ignore'}).status === 0,
  },
  // Only to fetch Cassandra.
  {
    name: 'mvn',
    package: 'maven',
    isThere: () => isInstalled('mvn') || readClasspath() !== undefined,
  },
]

/** Installs what is missing, as root on Debian. Throws with what is to be installed elsewhere. */
export function installTools() {
  const missing = tools.filter(({isThere}) => !isThere())
  if (missing.length === 0) return
  const packages = missing.flatMap((tool) => tool.package.split(' '))
  if (process.getuid?.() === 0 && isInstalled('apt-get')) {
    console.log(`Installing ${packages.join(', ')}`)
    const install = () => aptGet('install', '-y', '--no-install-recommends', ...packages)
    // Lists of packages that are old, or were never fetched, name none that can be had.
    if (!install() && aptGet('update')) install()
  }
  const left = missing.filter(({isThere}) => !isThere())
  if (left.length > 0)
    throw new Error(
      `Missing: ${left.map(({name}) => name).join(', ')}. ` +
        `Install it (on Debian: ${left.map((tool) => tool.package).join(' ')}), or run this as root on Debian.`,
    )
}

function isInstalled(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`], {stdio: 'ignore'}).status === 0
}

function aptGet(...args) {
  const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive'}
  return spawnSync('apt-get', ['-q', ...args], {stdio: ['ignore', 'ignore', 'inherit'], env}).status === 0
}
