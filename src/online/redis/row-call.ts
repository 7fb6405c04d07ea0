import type {Cluster, Redis} from 'ioredis'

/** Rows of one slot, to be read or written together. */
export interface RowCall<Reply> {
  /** May be called again where it failed. */
  sendTo(node: Redis): Promise<Reply>

  /**
   * The same with a command for each row, which a slot on its way to another node answers where it refuses the call; or the
   * reply leaves the rows to another call.
   */
  rowByRow(client: Cluster): Promise<Reply>
}
