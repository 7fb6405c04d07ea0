import type {Path} from '../config/check-schema.js'
import {addressOf} from '../definitions/definition.js'
import type {ErrorCode, Problem} from '../errors.js'
import type {LoadedDefinition} from './repo-contents.js'

/** Gathers what is wrong with definitions, each with its address and place. */
export class ProblemList {
  readonly #problems: Problem[]

  constructor(problems: readonly Problem[]) {
    this.#problems = [...problems]
  }

  /** `message` goes on after the address of the definition. */
  add(
    code: ErrorCode,
    loaded: Pick<LoadedDefinition, 'definition' | 'locate'>,
    path: Path,
    message: string,
    hint?: string,
  ): void {
    const address = addressOf(loaded.definition)
    this.#problems.push({
      code,
      message: `${address}: ${message}`,
      ...(hint === undefined ? {} : {hint}),
      address: [address, ...path].join('/'),
      ...loaded.locate(path),
    })
  }

  /** By file, then line, then column. */
  sorted(): readonly Problem[] {
    return this.#problems.toSorted(
      (a, b) =>
        compare(a.file ?? '', b.file ?? '') ||
        compare(a.line ?? 0, b.line ?? 0) ||
        compare(a.column ?? 0, b.column ?? 0),
    )
  }
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
