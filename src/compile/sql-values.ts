/** How values enter a statement: bound for the engine, or written out for people. */
export interface SqlValues {
  /** An expression for an integer: an instant or a duration in microseconds, a number of rows. */
  integer(value: bigint): string
}

/** Collects values as parameters, each once, and leaves placeholders. */
export class BoundValues implements SqlValues {
  readonly #places = new Map<bigint, number>()

  get parameters(): readonly bigint[] {
    return [...this.#places.keys()]
  }

  integer(value: bigint): string {
    const place = this.#places.get(value) ?? this.#places.size + 1
    this.#places.set(value, place)
    return `$${place}::BIGINT`
  }
}

/** Writes values into the text, for a person who reads or pastes it. */
export const literalValues: SqlValues = {
  integer: (value) => value.toString(),
}
