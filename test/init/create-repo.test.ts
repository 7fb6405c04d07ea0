import {DuckDBInstance} from '@duckdb/node-api'
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {createRepo, type CreateRepoOptions} from '../../src/init/create-repo.js'
import {templates} from '../../src/init/templates.js'
import {runScript} from '../../src/offline/run-script.js'
import {projectRoot} from '../support/run-fs.js'

const templatesDirectory = join(projectRoot, 'templates')
const names = Object.keys(templates)

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'fs-init-'))))
afterEach(() => rmSync(folder, {recursive: true, force: true}))

function create(options: Partial<CreateRepoOptions> = {}): ReturnType<typeof createRepo> {
  const directory = join(folder, 'rides')
  return createRepo({directory, template: 'minimal', templatesDirectory, runSql: runScript, ...options})
}

describe('a repo from a template', () => {
  test('there is a folder for each template, and no other', () => {
    expect(readdirSync(templatesDirectory).toSorted()).toEqual(names.toSorted())
  })

  test.each(names)('%s is whole, small, and says no placeholder', async (template) => {
    const created = await create({template})
    expect(created).toMatchObject({directory: join(folder, 'rides'), project: 'rides', template})
    expect(allFiles(created.directory)).toEqual(created.files)
    expect(created.files).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'feature_store.yaml']))
    expect(readdirSync(folder)).toEqual(['rides'])
    let bytes = 0
    for (const file of created.files) {
      const content = readFileSync(join(created.directory, file))
      bytes += content.length
      if (!file.endsWith('.parquet')) expect(content.toString()).not.toContain('{project}')
    }
    expect(bytes).toBeLessThan(2_000_000)
    expect(readFileSync(join(created.directory, 'feature_store.yaml'), 'utf8')).toMatch(/^project: rides$/m)
  })

  test.each(names)('%s is the same every time, byte by byte', async (template) => {
    const one = await create({template, directory: join(folder, 'one'), project: 'same'})
    const two = await create({template, directory: join(folder, 'two'), project: 'same'})
    expect(two.files).toEqual(one.files)
    for (const file of one.files) {
      expect(
        readFileSync(join(two.directory, file)).equals(readFileSync(join(one.directory, file))),
        file,
      ).toBe(true)
    }
  })

  test.each(['it\'s a "repo"', 'größe $& {directory}', 'with\nnewline'])(
    'works in a folder named %j',
    async (name) => {
      const {directory, project} = await create({directory: join(folder, name)})
      expect(statSync(join(directory, 'data/driver_stats.parquet')).size).toBeGreaterThan(1000)
      expect(project).toMatch(/^[a-z][a-z0-9_]*$/)
    },
  )

  test('an existing empty folder is filled, not replaced', async () => {
    const directory = join(folder, 'rides')
    mkdirSync(directory)
    const {ino} = statSync(directory)
    const {files} = await create()
    expect(statSync(directory).ino).toBe(ino)
    expect(allFiles(directory)).toEqual(files)
  })

  test('parent folders are made', async () => {
    const {directory} = await create({directory: join(folder, 'a/b/c')})
    expect(allFiles(directory)).toContain('feature_store.yaml')
  })

  test('folders have the permissions that other folders have', async () => {
    const {directory} = await create()
    mkdirSync(join(folder, 'plain'))
    expect(statSync(directory).mode).toBe(statSync(join(folder, 'plain')).mode)
  })
})

describe('what is refused leaves nothing behind', () => {
  test('a folder that holds something', async () => {
    mkdirSync(join(folder, 'rides'))
    writeFileSync(join(folder, 'rides/notes.txt'), 'mine')
    await expect(create()).rejects.toMatchObject({
      code: 'FS_DIRECTORY_NOT_EMPTY',
      message: `${join(folder, 'rides')} is not empty. Nothing was written.`,
    })
    expect(allFiles(folder)).toEqual(['rides/notes.txt'])
  })

  test('a file of that name', async () => {
    writeFileSync(join(folder, 'rides'), 'mine')
    await expect(create()).rejects.toMatchObject({code: 'FS_DIRECTORY_NOT_EMPTY'})
    expect(readFileSync(join(folder, 'rides'), 'utf8')).toBe('mine')
  })

  test('an unknown template, with the names of those there are', async () => {
    for (const template of ['maximal', '../minimal', 'toString']) {
      await expect(create({template})).rejects.toMatchObject({
        code: 'FS_TEMPLATE_UNKNOWN',
        message: `There is no template \`${template}\`. Expected one of: minimal, credit-scoring, aws.`,
      })
    }
    expect(readdirSync(folder)).toEqual([])
  })

  test('a name that no project may have', async () => {
    await expect(create({project: '7 rides'})).rejects.toMatchObject({
      code: 'FS_ARGUMENT_INVALID',
      hint: 'Name it, for example, rides.',
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test.each([
    ['a new folder', false],
    ['an empty folder', true],
  ])('a generator that fails half-way, in %s', async (_, exists) => {
    const directory = join(folder, 'deep/er/rides')
    if (exists) mkdirSync(directory, {recursive: true})
    const failure = new Error('disk full')
    const runSql = async (script: string, stage: string): Promise<void> => {
      await runScript(script, stage)
      throw failure
    }
    await expect(create({directory, runSql})).rejects.toBe(failure)
    expect(allFiles(folder)).toEqual([])
    expect(readdirSync(exists ? directory : folder)).toEqual([])
  })

  test('a folder that someone else makes in the meantime keeps their files', async () => {
    const runSql = (): Promise<void> => {
      mkdirSync(join(folder, 'rides'))
      writeFileSync(join(folder, 'rides/theirs.txt'), 'theirs')
      return Promise.resolve()
    }
    await expect(create({runSql})).rejects.toMatchObject({code: 'FS_DIRECTORY_NOT_EMPTY'})
    expect(allFiles(folder)).toEqual(['rides/theirs.txt'])
  })
})

test('feature_repo_example is what the credit-scoring template makes', async () => {
  const example = join(projectRoot, 'feature_repo_example')
  const made = await create({template: 'credit-scoring', project: 'credit_scoring'})
  for (const file of made.files) {
    if (file.endsWith('.parquet')) {
      // By value: another version of the engine may write other bytes.
      expect(await differences(join(example, file), join(made.directory, file)), file).toBe(0)
    } else {
      expect(readFileSync(join(example, file), 'utf8'), file).toBe(
        readFileSync(join(made.directory, file), 'utf8'),
      )
    }
  }
})

test('the aws template differs from it in where rows lie alone', async () => {
  const one = await create({template: 'credit-scoring', directory: join(folder, 'one'), project: 'same'})
  const two = await create({template: 'aws', directory: join(folder, 'two'), project: 'same'})
  const definitions = one.files.filter((file) => /\.(ts|yaml|parquet|sql)$/.test(file))
  const differing = definitions.filter(
    (file) => !readFileSync(join(one.directory, file)).equals(readFileSync(join(two.directory, file))),
  )
  expect(differing).toEqual(['feature_store.yaml', 'sources.ts'])
})

test('in the credit-scoring data, loans of people who missed payments are unpaid more often', async () => {
  const {directory} = await create({template: 'credit-scoring'})
  const [none, some] = await query(`
    SELECT avg(loan_status) FROM '${directory}/data/loan_table.parquet' AS loan
    ASOF JOIN '${directory}/data/credit_history.parquet' AS report
      ON loan.dob_ssn = report.dob_ssn AND loan.event_timestamp >= report.event_timestamp
    GROUP BY missed_payments_1y > 0 ORDER BY missed_payments_1y > 0`)
  expect(Number(some)).toBeGreaterThan(2 * Number(none))
})

async function differences(one: string, two: string): Promise<number> {
  const [count] = await query(
    `SELECT count(*) FROM ((FROM '${one}' EXCEPT ALL FROM '${two}') UNION ALL (FROM '${two}' EXCEPT ALL FROM '${one}'))`,
  )
  return Number(count)
}

/** The first column of the answer. */
async function query(sql: string): Promise<readonly unknown[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson().map((row) => row[0])
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function allFiles(directory: string): readonly string[] {
  return readdirSync(directory, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted()
}
