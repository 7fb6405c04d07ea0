import {FeatureStoreError} from '../../errors.js'

/** Where Redis is and how to log in. */
export interface RedisAddress {
  readonly nodes: readonly {readonly host: string; readonly port: number}[]
  readonly ssl: boolean
  readonly username?: string
  readonly password?: string
  readonly db: number
}

const defaultPort = 6379
const optionNames = ['ssl', 'username', 'password', 'db']

/**
 * Reads Feast's form, `host:port[,host:port…][,ssl=true][,username=…][,password=…][,db=…]`:
 * https://docs.feast.dev/reference/online-stores/redis. A password may hold commas: what follows it and is no other option is
 * of it. Throws FS_CONFIG_INVALID; no message repeats a password.
 */
export function parseConnectionString(text: string): RedisAddress {
  // A login stands before an @, and is not to be repeated.
  if (/^\s*\w+:\/\//.test(text)) throw invalid('it is a URL')
  if (/^[^,=]*:[^,=]*(,[^,=]*)*@/.test(text)) throw invalid('it has a login before a host')
  const nodes: {host: string; port: number}[] = []
  const options = new Map<string, string>()
  for (const raw of text.split(',')) {
    const part = raw.trim()
    const equals = part.indexOf('=')
    const password = options.get('password')
    const isOption = equals > 0 && optionNames.includes(part.slice(0, equals).trim().toLowerCase())
    if (password !== undefined && password !== '' && !isOption) options.set('password', `${password},${raw}`)
    else if (equals > 0)
      options.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim())
    else if (part !== '') nodes.push(parseNode(part))
  }
  if (nodes.length === 0) throw invalid('it names no host')
  for (const name of options.keys())
    if (!optionNames.includes(name)) throw invalid(`it has an unknown option \`${name}\``)
  const db = Number(options.get('db') ?? '0')
  if (!Number.isInteger(db) || db < 0) throw invalid('`db` is no number of a database')
  const username = options.get('username')
  const password = options.get('password')
  return {
    nodes,
    ssl: parseBoolean(options.get('ssl') ?? 'false'),
    db,
    // Empty is what an unset variable leaves: no login.
    ...(username === undefined || username === '' ? {} : {username}),
    ...(password === undefined || password === '' ? {} : {password}),
  }
}

function parseNode(text: string): {readonly host: string; readonly port: number} {
  // An IPv6 address stands in brackets where a port follows.
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined) throw invalid(`\`${text}\` is no host:port`)
  const number = Number(port ?? defaultPort)
  if (number < 1 || number > 65_535) throw invalid(`\`${text}\` has no port from 1 to 65535`)
  return {host, port: number}
}

function parseBoolean(text: string): boolean {
  if (!/^(true|false)$/i.test(text)) throw invalid('`ssl` is neither true nor false')
  return text.toLowerCase() === 'true'
}

function invalid(reason: string): FeatureStoreError {
  return new FeatureStoreError(
    'FS_CONFIG_INVALID',
    `\`online_store.connection_string\` can't be read: ${reason}. Expected host:port[,host:port…][,ssl=true][,username=…][,password=…][,db=…].`,
    {hint: 'Write, for example, connection_string: "127.0.0.1:6379,password=${REDIS_PASSWORD:-}".'},
  )
}
