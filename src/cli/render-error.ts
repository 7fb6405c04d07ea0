import ansis from 'ansis'
import {FeatureStoreError, type Problem, type SourcePosition} from '../errors.js'

/** The text of a failure that the user can mend: what happened, where, what to do. */
export function renderError(error: FeatureStoreError): string {
  const lines = [`${ansis.bold.red('Error')} ${ansis.dim(`[${error.code}]`)} ${error.message}`]
  const place = renderPosition(error.position)
  if (place !== '') lines.push(`  at ${place}`)
  // One problem may be all that the error says.
  if (error.problems.some(({message}) => message !== error.message))
    lines.push('', renderProblems(error.problems))
  if (error.hint !== undefined) lines.push(`  ${ansis.cyan('Hint:')} ${error.hint}`)
  return lines.join('\n')
}

/** Problems as compilers print them, so that editors and terminals can jump to the place. */
export function renderProblems(problems: readonly Problem[]): string {
  return problems
    .map((problem) => {
      const place = renderPosition(problem)
      const head = `${place === '' ? '' : `${ansis.bold(place)}: `}${problem.message} ${ansis.dim(`[${problem.code}]`)}`
      return problem.hint === undefined ? head : `${head}\n    ${ansis.cyan('Hint:')} ${problem.hint}`
    })
    .join('\n')
}

/** The `--json` form of any failure. */
export function errorDocument(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof FeatureStoreError)) {
    const message = error instanceof Error ? error.message : String(error)
    return {error: {code: 'FS_INTERNAL', message}}
  }
  return {
    error: {
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : {hint: error.hint}),
      ...error.position,
    },
    ...(error.problems.length === 0 ? {} : {problems: error.problems}),
  }
}

function renderPosition(position: Partial<SourcePosition> | undefined): string {
  if (position?.file === undefined) return ''
  return [position.file, position.line, position.column].filter((part) => part !== undefined).join(':')
}
