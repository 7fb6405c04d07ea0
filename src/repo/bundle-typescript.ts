import {join, relative, sep} from 'node:path'
import {originalPositionFor, TraceMap} from '@jridgewell/trace-mapping'
import type {BuildFailure, Message} from 'esbuild'
import type {Problem, SourcePosition} from '../errors.js'

/** What a bundle is called in stack traces. */
export const bundleName = 'feature-repo-bundle.cjs'

export interface TypescriptBundle {
  /** CommonJS; its `module.exports` is one function per file, in the order of `files`, that runs the file. */
  readonly code: string
  readonly files: readonly string[]
  readonly problems: readonly Problem[]
  /** The user's own place that a stack leads to: its first frame in the bundle. */
  readonly locateStack: (stack: string) => SourcePosition | undefined
}

/** Bundles TypeScript files of a repo in memory. A file with an error is told and left out; the others go on. */
export async function bundleTypescript(
  directory: string,
  files: readonly string[],
): Promise<TypescriptBundle> {
  const {build} = await import('esbuild')
  const problems = new Map<string, Problem>()
  let remaining = files
  for (;;) {
    try {
      const {outputFiles} = await build({
        stdin: {contents: entryOf(remaining), resolveDir: directory, sourcefile: '<entry>', loader: 'js'},
        absWorkingDir: directory,
        outfile: join(directory, bundleName),
        bundle: true,
        write: false,
        format: 'cjs',
        platform: 'node',
        target: 'node20',
        packages: 'external',
        sourcemap: 'external',
        sourcesContent: false,
        keepNames: true,
        logLevel: 'silent',
      })
      const text = (ending: string) => outputFiles.find(({path}) => path.endsWith(ending))?.text ?? ''
      const map = new TraceMap(text('.map'))
      return {
        code: text('.cjs'),
        files: remaining,
        problems: [...problems.values()],
        locateStack: (stack) => locateStack(stack, map),
      }
    } catch (error) {
      if (!isBuildFailure(error)) throw error
      const failed = new Set<string>()
      for (const message of error.errors) {
        const problem = toProblem(message, directory)
        problems.set(`${problem.file ?? ''}:${problem.line ?? 0}:${problem.message}`, problem)
        if (problem.file !== undefined) failed.add(problem.file)
      }
      const rest = remaining.filter((file) => !failed.has(file))
      // A file at fault that is no entry of its own (one in .fsignore, say) can't be left out.
      remaining = rest.length === remaining.length ? [] : rest
    }
  }
}

function entryOf(files: readonly string[]): string {
  return `module.exports = [${files.map((file) => `() => require(${JSON.stringify(`./${file}`)})`).join(',\n')}]`
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors)
}

function toProblem({text, location, notes}: Message, directory: string): Problem {
  const unresolved = /^Could not resolve "(.+)"$/.exec(text)
  const file =
    location === null ? undefined : relative(directory, join(directory, location.file)).split(sep).join('/')
  return {
    code: 'FS_TYPESCRIPT_INVALID',
    message:
      unresolved === null
        ? `TypeScript: ${text.replace(/\.?$/, '.')}`
        : `There is no file \`${unresolved[1] ?? ''}\` to import.`,
    hint: unresolved === null ? (notes[0]?.text ?? 'Correct the syntax.') : 'Correct the path of the import.',
    ...(file === undefined || location === null
      ? {}
      : {file, line: location.line, column: location.column + 1}),
  }
}

function locateStack(stack: string, map: TraceMap): SourcePosition | undefined {
  for (const [, line, column] of stack.matchAll(/feature-repo-bundle\.cjs:(\d+):(\d+)/g)) {
    const {
      source,
      line: ownLine,
      column: ownColumn,
    } = originalPositionFor(map, {
      line: Number(line),
      column: Number(column) - 1,
    })
    if (source !== null && source !== '<entry>') return {file: source, line: ownLine, column: ownColumn + 1}
  }
  return undefined
}
