import type {Cluster, Command} from 'ioredis'

/** One command for rows of one slot, under construction. */
export interface RowCall<Reply> {
  /** Ready to be sent, once: a command can't be sent again, but made again. */
  toCommand(): Command

  /** The same with a command for each row, which a slot on its way to another node answers where it refuses the call. */
  rowByRow(client: Cluster): Promise<Reply>
}
