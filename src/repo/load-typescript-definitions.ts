import {Console} from 'node:console'
import {createRequire} from 'node:module'
import {join} from 'node:path'
import {compileFunction} from 'node:vm'
import * as builders from '../definitions/builders.js'
import {definitionMark, type DefinitionMark} from '../definitions/builders.js'
import type {Problem, SourcePosition} from '../errors.js'
import {bundleName, bundleTypescript} from './bundle-typescript.js'
import type {WrittenDefinition} from './check-definition.js'

/**
 * Runs the TypeScript files of a repo and collects what they export that builders made, with everything those refer
 * to. A file that fails is told with the user's own line, and the others go on.
 */
export async function loadTypescriptDefinitions(
  directory: string,
  files: readonly string[],
): Promise<{readonly written: readonly WrittenDefinition[]; readonly problems: readonly Problem[]}> {
  if (files.length === 0) return {written: [], problems: []}
  const bundle = await bundleTypescript(directory, files)
  const problems = [...bundle.problems]
  const marked = new Map<object, SourcePosition>()
  for (const [index, run] of runBundle(bundle.code, directory).entries()) {
    const file = bundle.files[index] as string
    try {
      collectMarked(run(), (mark) => bundle.locateStack(mark.stack) ?? {file}, marked)
    } catch (error) {
      problems.push(failureOf(error, file, bundle.locateStack))
    }
  }
  return {
    written: [...marked].map(([definition, position]) => ({
      value: nameReferences(definition),
      language: 'typescript' as const,
      locate: () => position,
    })),
    problems,
  }
}

function runBundle(code: string, directory: string): readonly (() => unknown)[] {
  const requireFromRepo = createRequire(join(directory, 'package.json'))
  // The package need not be installed where a repo is: its builders are handed in.
  const require = (name: string): unknown => (name === 'feature-repo' ? builders : requireFromRepo(name))
  const module: {exports: unknown} = {exports: []}
  const path = join(directory, bundleName)
  const scope = {
    exports: module.exports,
    require,
    module,
    __filename: path,
    __dirname: directory,
    // Standard output is for what the command answers.
    // eslint-disable-next-line no-restricted-globals -- given to the user's code, not read by ours
    console: new Console(process.stderr),
    process: processForDefinitions(),
  }
  const run = compileFunction(code, Object.keys(scope), {filename: path})
  run.apply(module.exports, Object.values(scope))
  return module.exports as readonly (() => unknown)[]
}

/** The process, but that it can't be ended: a repo would then seem to be valid. */
function processForDefinitions(): NodeJS.Process {
  const refuse = (name: string) => (): never => {
    throw new Error(`process.${name}() is called. A file of definitions must not end the process.`)
  }
  // eslint-disable-next-line no-restricted-globals -- given to the user's code, not read by ours
  return Object.create(process, {
    exit: {value: refuse('exit')},
    abort: {value: refuse('abort')},
  }) as NodeJS.Process
}

function collectMarked(
  value: unknown,
  positionOf: (mark: DefinitionMark) => SourcePosition,
  marked: Map<object, SourcePosition>,
  seen = new Set<object>(),
): void {
  if (typeof value !== 'object' || value === null || seen.has(value) || marked.has(value)) return
  seen.add(value)
  const mark = markOf(value)
  if (mark !== undefined) marked.set(value, positionOf(mark))
  // Module namespaces, arrays and plain objects are looked into; what classes and libraries made is left alone.
  else if (!Array.isArray(value) && !isPlainObject(value)) return
  for (const inner of Object.values(value)) collectMarked(inner, positionOf, marked, seen)
}

/** A copy in which every definition inside stands by its name, as in YAML. */
function nameReferences(definition: object): unknown {
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy)
    if (typeof value !== 'object' || value === null || !isPlainObject(value)) return value
    if (value !== definition && markOf(value) !== undefined) return (value as {readonly name: unknown}).name
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]))
  }
  return copy(definition)
}

function markOf(value: object): DefinitionMark | undefined {
  return (value as {readonly [definitionMark]?: DefinitionMark})[definitionMark]
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function failureOf(
  error: unknown,
  file: string,
  locateStack: (stack: string) => SourcePosition | undefined,
): Problem {
  const {message, stack, code} =
    error instanceof Error ? (error as NodeJS.ErrnoException) : {message: String(error)}
  const missing = /^Cannot find (?:module|package) '([^']+)'/.exec(message)
  const notFound = missing !== null && (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND')
  return {
    code: 'FS_TYPESCRIPT_INVALID',
    message: notFound
      ? `There is no package \`${missing[1] ?? ''}\` to import.`
      : `Running this file failed: ${message.replace(/\.?$/, '.')}`,
    hint: notFound
      ? 'Install it, or correct the import.'
      : 'Correct the code, or name the file in .fsignore.',
    ...(locateStack(stack ?? '') ?? {file}),
  }
}
