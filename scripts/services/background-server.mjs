/** Servers that outlive the script which starts them, on fixed ports of loopback; a file of each holds its pid. */
import {spawn, spawnSync} from 'node:child_process'
import {closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {greet} from './answers.mjs'
import {cacheFolder} from './cache-folder.mjs'

const startMillis = 120_000
/** The longest that a server may take to end by itself. */
const endMillis = 10_000

export class BackgroundServer {
  #name
  #port
  #greeting
  #folder
  #pidFile
  #commandIn
  #marks

  /**
   * @param {object} server
   * @param {string} server.name
   * @param {number} server.port
   * @param {{said: Buffer, answer: Buffer}} server.greeting
   * @param {(folder: string) => {command: string, args: string[]}} server.commandIn What to run; it ends when its process does.
   * @param {string} [server.folder] Its own, where not the cache's.
   * @param {readonly string[]} server.marks What its command line holds, all of it, and nobody else's.
   */
  constructor({name, port, greeting, commandIn, marks, folder}) {
    this.#name = name
    this.#port = port
    this.#greeting = greeting
    this.#folder = folder ?? join(cacheFolder, 'services', `${name.toLowerCase()}-${port}`)
    this.#pidFile = join(this.#folder, 'pid')
    this.#commandIn = commandIn
    this.#marks = marks
  }

  /** Starts it unless it is up, waits until it answers, and returns how that came to be. */
  async up() {
    if (this.#pid === undefined) {
      const state = await greet(this.#port, this.#greeting)
      if (state === 'answers') return `answers already, started by somebody else`
      if (state === 'taken')
        throw new Error(
          `127.0.0.1:${this.#port} is taken by somebody else. Set SERVICES_${this.#name.toUpperCase()}_PORT.`,
        )
      this.#start()
    }
    const deadline = performance.now() + startMillis
    while ((await greet(this.#port, this.#greeting)) !== 'answers') {
      if (this.#pid === undefined || performance.now() > deadline) {
        const log = this.#endOfLog()
        await this.down()
        throw new Error(`${this.#name} does not answer at 127.0.0.1:${this.#port}:\n${log}`)
      }
      await sleep(100)
    }
    return `is up (pid ${this.#pid})`
  }

  /** Ends it if it is ours and up, and removes what it held. Returns what was done. */
  async down() {
    const pid = this.#pid
    if (pid !== undefined) {
      process.kill(pid, 'SIGTERM')
      const deadline = performance.now() + endMillis
      while (this.#pid === pid) {
        if (performance.now() > deadline) process.kill(pid, 'SIGKILL')
        await sleep(50)
      }
    }
    rmSync(this.#folder, {recursive: true, force: true})
    return pid === undefined ? 'was not up' : `ended (pid ${pid})`
  }

  #start() {
    rmSync(this.#folder, {recursive: true, force: true})
    mkdirSync(this.#folder, {recursive: true})
    const {command, args} = this.#commandIn(this.#folder)
    const log = openSync(join(this.#folder, 'log'), 'w')
    const child = spawn(command, args, {cwd: this.#folder, detached: true, stdio: ['ignore', log, log]})
    closeSync(log)
    child.unref()
    if (child.pid === undefined) throw new Error(`${command} can't be started`)
    writeFileSync(this.#pidFile, String(child.pid))
  }

  /** Of the server that was started here. Its pid may be another process's by now: the command line tells. */
  get #pid() {
    if (!existsSync(this.#pidFile)) return undefined
    const pid = Number(readFileSync(this.#pidFile, 'utf8'))
    const commandLine = commandLineOf(pid)
    return this.#marks.every((mark) => commandLine.includes(mark)) ? pid : undefined
  }

  #endOfLog() {
    const log = join(this.#folder, 'log')
    return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-20).join('\n') : ''
  }
}

/** Empty where there is no such process. */
function commandLineOf(pid) {
  const file = `/proc/${pid}/cmdline`
  if (existsSync('/proc/self/cmdline')) {
    // While a process becomes another program it has none for a moment.
    for (let attempt = 0; attempt < 100 && existsSync(file); attempt += 1) {
      const line = readFileSync(file, 'utf8').replaceAll('\0', ' ')
      if (line !== '') return line
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
    return ''
  }
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], {encoding: 'utf8'}).stdout
}
