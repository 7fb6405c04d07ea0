import {spawnSync} from 'node:child_process'
import {chownSync, existsSync, mkdirSync, readdirSync} from 'node:fs'
import {join} from 'node:path'

/** PostgreSQL refuses to run as root; Debian's package makes this user. */
const serverUser = 'postgres'

/** The folder of initdb and postgres, the newest; undefined where none is installed. */
export function findPostgres() {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((one, other) => Number(other) - Number(one))
    : []
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(':').filter((folder) => folder !== ''),
  ]
  return folders.find((folder) => ['initdb', 'postgres'].every((tool) => existsSync(join(folder, tool))))
}

/**
 * The command that runs a PostgreSQL in the foreground, with its data in a folder which is made when it is not there. Its
 * superuser is `fs`, who needs no password on loopback.
 *
 * @param {object} server
 * @param {string} server.folder Empty, or one that was given before. As root: where another user can get.
 * @param {number} server.port On 127.0.0.1.
 * @param {Readonly<Record<string, string>>} [server.settings] More of postgresql.conf.
 * @returns {{command: string, args: string[]}}
 */
export function postgresServer({folder, port, settings = {}}) {
  const bin = findPostgres()
  if (bin === undefined) throw new Error('PostgreSQL is not installed: run `npm run services:up`')
  const data = join(folder, 'data')
  if (!existsSync(data)) {
    mkdirSync(data, {recursive: true})
    if (process.getuid?.() === 0) {
      const {uid, gid} = userIds()
      for (const owned of [folder, data]) chownSync(owned, uid, gid)
    }
    const auth = ['-U', 'fs', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    const {command, args} = unprivileged(join(bin, 'initdb'), ['-D', data, ...auth])
    const made = spawnSync(command, args, {cwd: '/', encoding: 'utf8'})
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  }
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    shared_buffers: '32MB',
    ...settings,
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return unprivileged(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags])
}

function unprivileged(command, args) {
  if (process.getuid?.() !== 0) return {command, args}
  const switching = [`--reuid=${serverUser}`, `--regid=${serverUser}`, '--clear-groups']
  return {command: 'setpriv', args: [...switching, command, ...args]}
}

function userIds() {
  const idOf = (flag) => Number(spawnSync('id', [flag, serverUser], {encoding: 'utf8'}).stdout)
  return {uid: idOf('-u'), gid: idOf('-g')}
}
