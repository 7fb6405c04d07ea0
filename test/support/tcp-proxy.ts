import {connect, createServer, type AddressInfo, type Server, type Socket} from 'node:net'
import {Transform} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {setTimeout as sleep} from 'node:timers/promises'

interface Arrived {
  readonly bytes: Buffer
  readonly at: number
}

/** Chunks that may be under way at once in a direction: enough that a delay costs time and not throughput. */
const chunksUnderWay = 256

/**
 * Stands between clients and a server of loopback and makes their network a bad one. Faults hold for open connections
 * and for new ones, in both directions alike, until `heal`; bytes are never lost or reordered unless a connection is cut.
 */
export class TcpProxy implements AsyncDisposable {
  /** Connections taken so far. */
  connections = 0
  /** Bytes passed on so far: up to the server, down to the clients. */
  readonly bytes = {up: 0, down: 0}
  readonly #listener: Server
  readonly #target: {readonly host: string; readonly port: number}
  readonly #open = new Set<Socket>()
  #delayMillis = 0
  #bytesPerSecond = Infinity
  #silence: {readonly ends: Promise<void>; readonly end: () => void} | undefined

  private constructor(target: {readonly host: string; readonly port: number}) {
    this.#target = target
    this.#listener = createServer({allowHalfOpen: true}, (client) => this.#take(client))
  }

  static async start(port: number, host = '127.0.0.1'): Promise<TcpProxy> {
    const proxy = new TcpProxy({host, port})
    await new Promise<void>((resolve) => proxy.#listener.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  /** Passes all on that much later. A round trip takes twice that. */
  delay(millis: number): void {
    this.#delayMillis = millis
  }

  /** Passes on no more than that, in each direction of each connection. */
  bandwidth(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond
  }

  /** Resets all connections; what is under way is lost. New ones are taken. */
  cut(): void {
    for (const socket of this.#open) socket.resetAndDestroy()
    this.#open.clear()
  }

  /** Takes connections and bytes, and passes nothing on. */
  silence(): void {
    if (this.#silence !== undefined) return
    let end = (): void => undefined
    const ends = new Promise<void>((resolve) => (end = resolve))
    this.#silence = {ends, end}
  }

  /** Ends all faults; what was held back is passed on. */
  heal(): void {
    this.#delayMillis = 0
    this.#bytesPerSecond = Infinity
    this.#silence?.end()
    this.#silence = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.heal()
    await new Promise((resolve) => this.#listener.close(resolve))
  }

  #take(client: Socket): void {
    this.connections += 1
    const server = connect({...this.#target, allowHalfOpen: true, noDelay: true})
    client.setNoDelay(true)
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#open.add(socket)
      socket.once('close', () => this.#open.delete(socket))
      // Before the pipelines do, which would end the other side in peace.
      socket.once('error', () => other.resetAndDestroy())
    }
    this.#join(client, server, 'up')
    this.#join(server, client, 'down')
  }

  #join(from: Socket, to: Socket, direction: 'up' | 'down'): void {
    pipeline(from, stamped(), (chunks) => this.#pass(chunks, direction), to).catch(() => undefined)
  }

  async *#pass(chunks: AsyncIterable<Arrived>, direction: 'up' | 'down'): AsyncGenerator<Buffer> {
    for await (const {bytes, at} of chunks) {
      const due = at + this.#delayMillis - performance.now()
      if (due > 0) await sleep(due)
      if (this.#bytesPerSecond !== Infinity) await sleep((bytes.length / this.#bytesPerSecond) * 1000)
      await this.#silence?.ends
      this.bytes[direction] += bytes.length
      yield bytes
    }
  }
}

/** Notes when a chunk came, so that chunks wait beside each other and not one after the other. */
function stamped(): Transform {
  return new Transform({
    readableObjectMode: true,
    readableHighWaterMark: chunksUnderWay,
    transform(bytes: Buffer, _encoding, done) {
      done(null, {bytes, at: performance.now()} satisfies Arrived)
    },
  })
}
