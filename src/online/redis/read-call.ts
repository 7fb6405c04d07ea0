import type {Cluster, Redis} from 'ioredis'
import {BulkStrings} from './bulk-strings.js'
import {PackedCommand} from './packed-command.js'
import type {RowKey} from './redis-keys.js'
import type {RowCall} from './row-call.js'

/** A few keys; more of them make it grow. */
const expectedBytes = 256

/** Keys for one MGET, and the places in the answer that their rows take. */
export class ReadCall implements RowCall<readonly (Buffer | null)[]> {
  readonly places: number[] = []
  readonly #keys = new BulkStrings(expectedBytes)

  add(key: RowKey, place: number): void {
    this.#keys.addBytes(key.bytes, key.length)
    this.places.push(place)
  }

  sendTo(node: Redis): Promise<readonly (Buffer | null)[]> {
    const command = new PackedCommand('mget', [], [this.#keys])
    return node.sendCommand(command) as Promise<readonly (Buffer | null)[]>
  }

  rowByRow(client: Cluster): Promise<readonly (Buffer | null)[]> {
    return Promise.all(Array.from(this.#keys, (key) => client.getBuffer(key)))
  }
}
