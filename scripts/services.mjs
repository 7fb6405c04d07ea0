// `npm run services:up` makes sure that the servers which the tests of stores start are installed, and installs what is
// missing where it may (Debian, as root). The tests start their own, on free ports of loopback, and end them.
import {spawnSync} from 'node:child_process'

const packages = {'redis-server': 'redis-server', 'redis-cli': 'redis-tools', openssl: 'openssl'}

const missing = Object.keys(packages).filter((command) => !isInstalled(command))
if (missing.length > 0) {
  const names = [...new Set(missing.map((command) => packages[command]))]
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    console.error(
      `Missing: ${missing.join(', ')}. Install ${names.join(', ')}, or run this as root on Debian.`,
    )
    process.exit(1)
  }
  console.log(`Installing ${names.join(', ')}`)
  const install = () => run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...names])
  if (!install()) {
    run('apt-get', ['update', '-q'])
    install()
  }
}
const stillMissing = Object.keys(packages).filter((command) => !isInstalled(command))
if (stillMissing.length > 0) {
  console.error(`Not installed: ${stillMissing.join(', ')}`)
  process.exit(1)
}
console.log(spawnSync('redis-server', ['--version'], {encoding: 'utf8'}).stdout.trim())

function isInstalled(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`], {stdio: 'ignore'}).status === 0
}

function run(command, args) {
  const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive'}
  return spawnSync(command, args, {stdio: ['ignore', 'ignore', 'inherit'], env}).status === 0
}
