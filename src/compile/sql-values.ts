/** How values enter a statement: bound for the engine, or written out for people. */
export interface SqlValues {
  /** An expression for an integer: an instant or a duration in microseconds, a number of rows. */
  integer(value: bigint): string
}

/** Collects values as parameters and leaves placeholders. */
export class BoundValues implements SqlValues {
  readonly parameters: bigint[] = []

  integer(value: bigint): string {
    this.parameters.push(value)
    return `$${this.parameters.length}::BIGINT`
  }
}

/** Writes values into the text, for a person who reads or pastes it. */
export const literalValues: SqlValues = {
  integer: (value) => value.toString(),
}
