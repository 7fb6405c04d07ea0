import {readFile} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import {parseDuration} from '../definitions/duration.js'
import {FeatureStoreError, type Problem} from '../errors.js'
import {checkSchema} from './check-schema.js'
import {featureStoreSchema} from './feature-store-schema.js'
import {fillVariables} from './fill-variables.js'
import type {RepoConfig, StoreConfig, WriteSettings} from './repo-config.js'
import {parseYaml} from './yaml-text.js'

/** Name of the file that makes a folder a feature repo. */
export const configFile = 'feature_store.yaml'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads `feature_store.yaml` of a folder. Throws FS_REPO_NOT_FOUND when there is none, and FS_CONFIG_INVALID with all
 * problems at once.
 */
export async function loadRepoConfig(directory: string, env: Environment): Promise<RepoConfig> {
  const folder = resolve(directory)
  const file = join(folder, configFile)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const missing = ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')
    throw new FeatureStoreError(
      'FS_REPO_NOT_FOUND',
      missing
        ? `There is no feature repo in ${folder}: it has no ${configFile}.`
        : `${file} can't be read: ${(cause as Error).message}.`,
      {
        hint: missing
          ? 'Run `fs init`, or name the folder of a repo by `-C`.'
          : 'Make it a file you may read.',
        cause,
      },
    )
  })
  return parseRepoConfig(folder, text, env)
}

function parseRepoConfig(directory: string, text: string, env: Environment): RepoConfig {
  const problems: Problem[] = []
  const fill = fillVariables(env, (problem) => problems.push(problem))
  const yaml = parseYaml(configFile, text, 'FS_CONFIG_INVALID', fill)
  problems.push(...yaml.problems)
  const [document, second] = yaml.documents
  if (second !== undefined) {
    problems.push({
      code: 'FS_CONFIG_INVALID',
      message: `${configFile} has more than one document. Expected one.`,
      hint: 'Move definitions to another *.yaml file.',
      ...second.locate([]),
    })
  }
  // After a syntax error or an unset variable, what the file says is not known: only a whole file is checked.
  const broken = yaml.problems.length > 0
  const {value, findings} = checkSchema(document?.value ?? {}, featureStoreSchema, {
    isSubstituted: yaml.isSubstituted,
    foreignKeys,
    formats: {
      'fs-duration': (one) =>
        parseDuration(one) === undefined ? 'a duration up to 10,000 years' : undefined,
    },
  })
  const start = {file: configFile, line: 1, column: 1}
  for (const {path, at, message, hint} of broken ? [] : findings) {
    const position = document?.locate(path, at) ?? start
    const unset = problems.some((one) => one.line === position.line && message.includes('${'))
    if (!unset)
      problems.push({code: 'FS_CONFIG_INVALID', message, ...(hint === undefined ? {} : {hint}), ...position})
  }
  if (problems.length > 0) throw configError(problems)
  return {
    ...toConfig(directory, value as FeatureStoreFile),
    locate: (path) => document?.locate(path) ?? start,
  }
}

interface FeatureStoreFile {
  readonly project: string
  readonly registry: string | {readonly type: string; readonly path: string}
  readonly offline_store: {readonly type: string}
  readonly online_store: {
    readonly type: string
    readonly expire_after?: string
    readonly write?: WriteBlock
  }
  readonly materialization: {
    readonly rejects_path: string
    readonly snapshots_path: string
    readonly parallel: number
  }
}

interface WriteBlock {
  readonly pacing?: WriteSettings['pacing']
  readonly max_writes_per_second?: number
  readonly max_concurrency?: number
  readonly latency_target_ms?: number
  readonly max_concurrent_runs?: number
  readonly lock_timeout?: string
}

function toConfig(directory: string, file: FeatureStoreFile): Omit<RepoConfig, 'locate'> {
  const {expire_after: expireAfter = '1d', write = {}, ...onlineStore} = file.online_store
  return {
    directory,
    project: file.project,
    ...toRegistry(file.registry),
    offlineStore: toStoreConfig(file.offline_store),
    onlineStore: {
      ...toStoreConfig(onlineStore),
      expireAfter: parseDuration(expireAfter) as bigint,
      write: toWriteSettings(write),
    },
    materialization: {
      rejectsPath: file.materialization.rejects_path,
      snapshotsPath: file.materialization.snapshots_path,
      parallel: file.materialization.parallel,
    },
  }
}

function toRegistry(
  registry: FeatureStoreFile['registry'],
): Pick<RepoConfig, 'registry' | 'registrySettings'> {
  if (typeof registry === 'string') return {registry, registrySettings: {}}
  const {path, ...block} = registry
  return {registry: path, registrySettings: toStoreConfig(block).settings}
}

function toWriteSettings(block: WriteBlock): WriteSettings {
  const {max_writes_per_second: maxWritesPerSecond} = block
  return {
    pacing: block.pacing ?? 'adaptive',
    ...(maxWritesPerSecond === undefined ? {} : {maxWritesPerSecond}),
    maxConcurrency: block.max_concurrency ?? 256,
    latencyTargetMillis: block.latency_target_ms ?? 25,
    maxConcurrentRuns: block.max_concurrent_runs ?? 2,
    lockTimeout: parseDuration(block.lock_timeout ?? '30m') as bigint,
  }
}

function toStoreConfig({type, ...settings}: {readonly type: string}): StoreConfig {
  return {type, settings: toCamelCase(settings) as Readonly<Record<string, unknown>>}
}

function toCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toCamelCase)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      toCamelCase(inner),
    ]),
  )
}

function configError(problems: readonly Problem[]): FeatureStoreError {
  const sorted = problems.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  )
  const first = sorted[0] as Problem
  return new FeatureStoreError(
    'FS_CONFIG_INVALID',
    sorted.length === 1 ? first.message : `${configFile} has ${sorted.length} problems.`,
    {
      hint: sorted.length === 1 ? first.hint : undefined,
      position: {
        file: configFile,
        ...(first.line === undefined ? {} : {line: first.line, column: first.column ?? 1}),
      },
      problems: sorted,
    },
  )
}

const foreignKeys: Readonly<Record<string, string>> = {
  provider: 'Remove it: the stores are named by `offline_store` and `online_store` alone.',
  entity_key_serialization_version: 'Remove it: keys have one encoding here.',
  flags: 'Remove it: there are no feature flags here.',
  auth: 'Remove it: who may use the stores is decided by the stores.',
}
