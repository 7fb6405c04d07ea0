import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {loadRepoConfig} from '../../src/config/load-repo-config.js'
import type {FeatureStoreError} from '../../src/errors.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fs-config-'))
})
afterEach(() => rmSync(folder, {recursive: true, force: true}))

const load = (text: string, env: Record<string, string | undefined> = {}) => {
  writeFileSync(join(folder, 'feature_store.yaml'), text)
  return loadRepoConfig(folder, env)
}

const failure = async (
  text: string,
  env: Record<string, string | undefined> = {},
): Promise<FeatureStoreError> =>
  load(text, env).then(
    () => {
      throw new Error('this config was accepted')
    },
    (error: unknown) => error as FeatureStoreError,
  )

describe('feature_store.yaml', () => {
  test('needs nothing but a project', async () => {
    expect(await load('project: rides\n')).toEqual({
      directory: folder,
      project: 'rides',
      registry: 'data/registry.json',
      registrySettings: {},
      offlineStore: {type: 'duckdb', settings: {}},
      onlineStore: {
        type: 'embedded',
        settings: {path: 'data/online'},
        expireAfter: 86_400_000_000n,
        write: {
          pacing: 'adaptive',
          maxConcurrency: 256,
          latencyTargetMillis: 25,
          maxConcurrentRuns: 2,
          lockTimeout: 1_800_000_000n,
        },
      },
      materialization: {rejectsPath: 'data/rejects', snapshotsPath: 'data/snapshots', parallel: 2},
      locate: expect.any(Function) as unknown,
    })
  })

  test('takes a block of Cassandra and how loads write to it', async () => {
    const {onlineStore} = await load(
      [
        'project: rides',
        'online_store:',
        '  type: cassandra',
        '  hosts: [127.0.0.1, "127.0.0.2:9043"]',
        '  keyspace: features',
        '  create_keyspace: {replication_factor: 3}',
        '  load_balancing: {local_dc: dc1}',
        '  consistency: {read: LOCAL_QUORUM}',
        '  tls: {ca_file: ca.pem}',
        '  write: {pacing: static, max_writes_per_second: 20000, lock_timeout: 90s}',
      ].join('\n'),
    )
    expect(onlineStore).toMatchObject({
      type: 'cassandra',
      settings: {
        hosts: ['127.0.0.1', '127.0.0.2:9043'],
        keyspace: 'features',
        createKeyspace: {replicationFactor: 3},
        loadBalancing: {localDc: 'dc1'},
        consistency: {read: 'LOCAL_QUORUM'},
        tls: {caFile: 'ca.pem'},
      },
      write: {pacing: 'static', maxWritesPerSecond: 20_000, maxConcurrency: 256, lockTimeout: 90_000_000n},
    })
    await expect(
      load('project: rides\nonline_store: {type: cassandra, keyspace: a b, hosts: []}\n'),
    ).rejects.toMatchObject({
      problems: [
        {message: expect.stringContaining('keyspace'), line: 2},
        {message: expect.stringContaining('hosts'), line: 2},
      ],
    })
  })

  test('fills variables in and keeps numbers numbers', async () => {
    const config = await load(
      [
        'project: ${NAME:-rides}',
        'offline_store:',
        '  type: duckdb',
        '  threads: ${THREADS}',
        '  extension_directory: "a/${DIR}/$${DIR}"',
        'online_store: {expire_after: 2h}',
        'materialization: {parallel: 4}',
      ].join('\n'),
      {THREADS: '3', DIR: 'é'},
    )
    expect(config.project).toBe('rides')
    expect(config.offlineStore.settings).toEqual({threads: 3, extensionDirectory: 'a/é/${DIR}'})
    expect(config.onlineStore.expireAfter).toBe(7_200_000_000n)
    expect(config.materialization).toEqual({
      rejectsPath: 'data/rejects',
      snapshotsPath: 'data/snapshots',
      parallel: 4,
    })
  })

  test('keeps a variable of digits as text where text is expected, and never fills keys', async () => {
    expect((await load('project: rides\nregistry: ${N}\n', {N: '12345'})).registry).toBe('12345')
    expect((await failure('project: rides\n${N}: 1\n', {N: 'registry'})).message).toContain(
      'Unknown key `${N}`',
    )
  })

  test('names the folder that has none', async () => {
    await expect(loadRepoConfig(folder, {})).rejects.toMatchObject({
      code: 'FS_REPO_NOT_FOUND',
      message: expect.stringContaining(folder),
      hint: expect.stringContaining('fs init'),
    })
  })

  test.each([
    [
      'an unknown key',
      'project: rides\nregistri: x\n',
      2,
      1,
      'Unknown key `registri`',
      'Did you mean `registry`?',
    ],
    ['a key of Feast', 'project: rides\nprovider: local\n', 2, 1, 'Unknown key `provider`', 'Remove it'],
    [
      'a wrong type',
      'project: rides\nmaterialization:\n  parallel: two\n',
      3,
      13,
      '`materialization.parallel` is `two`',
      undefined,
    ],
    ['a number for a name', 'project: 12\n', 1, 10, '`project` is the number 12', undefined],
    ['a bad name', 'project: 1rides\n', 1, 10, 'a letter, then letters', undefined],
    ['a missing project', 'registry: x\n', 1, 1, '`project` is missing', 'Add `project`'],
    [
      'a store there is not',
      'project: rides\nonline_store: {type: postgres, url: x}\n',
      2,
      22,
      'one of: embedded, redis',
      undefined,
    ],
    [
      'a duration that is none',
      'project: r\nonline_store: {expire_after: soon}\n',
      2,
      30,
      'a duration',
      undefined,
    ],
    [
      'a number that is none',
      'project: r\nonline_store: {write: {latency_target_ms: .nan}}\n',
      2,
      43,
      'is the number NaN. Expected a number of milliseconds above 0',
      undefined,
    ],
    [
      'a number that is a text',
      'project: r\nonline_store: {write: {max_concurrency: "8"}}\n',
      2,
      41,
      'is `8`. Expected a whole number from 1 to 4096',
      'Take it out of quotes: 8.',
    ],
    [
      'a text for a block',
      'project: r\nonline_store: redis\n',
      2,
      15,
      'is `redis`. Expected a block of keys and values.',
      undefined,
    ],
    [
      'a duration without a unit',
      'project: r\nonline_store: {write: {lock_timeout: 30}}\n',
      2,
      38,
      'is the number 30. Expected a duration',
      'Give it a unit: 30s',
    ],
    [
      'a variable that is not set',
      'project: rides\nregistry: "a/${WHERE}/b"\n',
      2,
      14,
      '`WHERE` is not set',
      'Set WHERE',
    ],
    ['a syntax error', 'project: rides\nregistry: [a\n', 3, 1, 'YAML:', undefined],
    ['a key given twice', 'project: rides\nproject: other\n', 2, 1, 'unique', 'Remove one'],
    ['an empty file', '', 1, 1, '`project` is missing', undefined],
  ])('tells the place of %s', async (_, text, line, column, message, hint) => {
    const error = await failure(text)
    expect(error.code).toBe('FS_CONFIG_INVALID')
    expect(error.position).toEqual({file: 'feature_store.yaml', line, column})
    expect(error.problems).toHaveLength(1)
    expect(error.message).toContain(message)
    if (hint !== undefined) expect(error.hint).toContain(hint)
  })

  test('tells all problems at once, in order', async () => {
    const error = await failure('registri: x\nonline_store: {path: 3}\noffline_store: {threads: 0}\n')
    expect(error.message).toBe('feature_store.yaml has 4 problems.')
    expect(error.problems.map(({line, column}) => [line, column])).toEqual([
      [1, 1],
      [1, 1],
      [2, 22],
      [3, 26],
    ])
  })
})

describe('a registry that is a block', () => {
  test('is an object of S3, as whom it is reached beside it', async () => {
    const config = await load(
      'project: rides\nregistry: {type: s3, path: "s3://b/rides/registry.json", role_arn: "arn:r", external_id: x}',
    )
    expect(config).toMatchObject({
      registry: 's3://b/rides/registry.json',
      registrySettings: {roleArn: 'arn:r', externalId: 'x'},
    })
  })

  test('names an object', async () => {
    await expect(load('project: rides\nregistry: {type: s3, path: s3://b}')).rejects.toMatchObject({
      code: 'FS_CONFIG_INVALID',
      message: '`registry.path` is `s3://b`. Expected s3://bucket/prefix/registry.json.',
    })
  })
})
