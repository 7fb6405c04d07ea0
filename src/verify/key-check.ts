import {agree, judgeSuspects, type JudgeContext, type Suspect} from './judge-suspects.js'
import type {VerificationTally} from './verification-tally.js'

/** Suspects judged together: the source is read once for all of them, and they bound memory. */
const suspectsAtOnce = 10_000

export interface CheckedKey extends Suspect {
  /** Whether a load would have rejected the row. */
  readonly isMisfit: boolean
}

/** Compares keys batch by batch; those that do not agree are judged when there are many, and at the end. */
export class KeyCheck {
  /** Rows that the store had of the keys, expected or not. */
  rowsFound = 0
  readonly #tally: VerificationTally
  readonly #context: JudgeContext
  #suspects: Suspect[] = []

  constructor(tally: VerificationTally, context: JudgeContext) {
    this.#tally = tally
    this.#context = context
  }

  async add(keys: readonly CheckedKey[]): Promise<void> {
    const {reader, table} = this.#context
    const found = await reader.read(
      table,
      keys.map(({key}) => key),
    )
    const oldest = this.#context.oldestServed()
    keys.forEach(({key, expected, isMisfit}, index) => {
      const row = found[index]
      if (row !== undefined) this.rowsFound += 1
      if (isMisfit) this.#tally.rejected += 1
      else if (agree(expected, row, oldest)) this.#tally.equal += 1
      else this.#suspects.push({key, expected})
    })
    if (this.#suspects.length >= suspectsAtOnce) await this.finish()
  }

  async finish(): Promise<void> {
    const suspects = this.#suspects
    this.#suspects = []
    for (const verdict of await judgeSuspects(suspects, this.#context)) {
      if (verdict === 'equal') this.#tally.equal += 1
      else if (verdict === 'due') this.#tally.due += 1
      else this.#tally.addDifference(verdict)
    }
  }
}
