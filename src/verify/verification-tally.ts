import type {Instant} from '../definitions/instant.js'
import type {Difference, DifferenceKind, ViewVerification} from './verification.js'

/** Counts what the keys of one view turn out to be, and keeps the first differences of each kind. */
export class VerificationTally {
  readonly examples: Difference[] = []
  readonly notes: string[] = []
  equal = 0
  due = 0
  rejected = 0
  readonly #counts: Record<DifferenceKind, number> = {missing: 0, extra: 0, different: 0}
  readonly #examplesOfKind: number

  constructor(examplesOfKind: number) {
    this.#examplesOfKind = examplesOfKind
  }

  get checked(): number {
    const {missing, extra, different} = this.#counts
    return this.equal + this.due + missing + extra + different
  }

  addDifference(difference: Difference): void {
    this.#counts[difference.kind] += 1
    if (this.#counts[difference.kind] <= this.#examplesOfKind) this.examples.push(difference)
  }

  /** Rows that are online and whose keys nobody can name. */
  addUnknown(rows: number): void {
    this.#counts.extra += rows
  }

  toViewVerification(
    name: string,
    outcome: Pick<ViewVerification, 'status' | 'error'> & {readonly asOf: Instant | undefined},
  ): ViewVerification {
    const {checked, equal, due, rejected, examples, notes} = this
    return {name, ...outcome, checked, equal, due, ...this.#counts, rejected, examples, notes}
  }
}
