import type {ChildProcess} from 'node:child_process'
import {chmodSync, chownSync, closeSync, mkdtempSync, openSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import pg from 'pg'
import {postgresServer} from '../../scripts/services/postgres-server.mjs'
import {makeCertificates} from './certificates.js'
import {freePorts} from './free-ports.js'
import {spawnTied} from './spawn-tied.js'

const startMillis = 60_000

/** A PostgreSQL of our own on a free port of loopback, its data in a temporary folder, that ends with the test. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number
  readonly caFile: string | undefined
  readonly #folder: string
  readonly #settings: Readonly<Record<string, string>>
  #process: ChildProcess | undefined

  private constructor(port: number, isTls: boolean) {
    this.port = port
    this.#folder = mkdtempSync(join(tmpdir(), 'fs-postgres-'))
    if (!isTls) {
      this.#settings = {}
      return
    }
    const {ca, certificate, key} = makeCertificates(this.#folder)
    this.caFile = ca
    this.#settings = {ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key}
  }

  /** Throws where PostgreSQL is not installed: `npm run services:up` does that. `tls`: it speaks TLS, too. */
  static async start({tls = false}: {readonly tls?: boolean} = {}): Promise<PostgresServer> {
    const [port] = await freePorts(1)
    const server = new PostgresServer(port, tls)
    try {
      await server.up()
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
    return server
  }

  /** `database`: one that `createDatabase` made. */
  url(database = 'postgres', user = 'fs'): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${database}`
  }

  /** Starts it on the data it has, and waits until it answers. */
  async up(): Promise<void> {
    const {command, args} = postgresServer({
      folder: this.#folder,
      port: this.port,
      settings: this.#settings,
    })
    this.#ownKey()
    const deadline = performance.now() + startMillis
    for (;;) {
      // After a crash it does not start until the processes of its connections have noticed, too.
      if (this.#process === undefined || this.#process.exitCode !== null) this.#spawn(command, args)
      try {
        await this.query('SELECT 1')
        return
      } catch (error) {
        if (performance.now() > deadline) throw error
        await sleep(50)
      }
    }
  }

  /** Kills it. What it acknowledged is on its disk. */
  async kill(): Promise<void> {
    const child = this.#process
    if (child === undefined) return
    this.#process = undefined
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.stdin?.end()
    await ended
  }

  /** As the superuser. */
  async query(text: string, database = 'postgres'): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const client = new pg.Client({connectionString: this.url(database)})
    client.on('error', () => undefined)
    try {
      await client.connect()
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.#folder, {recursive: true, force: true})
  }

  #spawn(command: string, args: readonly string[]): void {
    const log = openSync(join(this.#folder, 'log'), 'a')
    this.#process = spawnTied(command, args, log)
    closeSync(log)
  }

  /** It takes a key that nobody else may read. */
  #ownKey(): void {
    const {ssl_cert_file: certificate, ssl_key_file: key} = this.#settings
    if (certificate === undefined || key === undefined) return
    const {uid, gid} = statSync(join(this.#folder, 'data'))
    for (const file of [certificate, key]) chownSync(file, uid, gid)
    chmodSync(key, 0o600)
  }
}
