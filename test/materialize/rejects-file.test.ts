import {existsSync} from 'node:fs'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {RejectsFile, type Reject} from '../../src/materialize/rejects-file.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fs-rejects-'))
})
afterEach(() => rm(folder, {recursive: true, force: true}))

const reject = (trips: bigint): Reject => ({
  reason: 'why',
  view: 'stats',
  key: {driver: 1n},
  event_timestamp: '2024-01-01T00:00:00Z',
  values: {trips},
})

test('there is no file as long as nothing is rejected', async () => {
  const file = new RejectsFile(join(folder, 'run', 'stats.jsonl'))
  await file.add([])
  await file[Symbol.asyncDispose]()
  expect(existsSync(join(folder, 'run'))).toBe(false)
  expect(file.count).toBe(0)
})

test('batches that are added at once keep their order, each row on its line', async () => {
  const file = new RejectsFile(join(folder, 'run', 'stats.jsonl'))
  const batches = Array.from({length: 20}, (_, batch) =>
    Array.from({length: 500}, (__, row) => reject(2n ** 60n + BigInt(batch * 500 + row))),
  )
  await Promise.all(batches.map((batch) => file.add(batch)))
  await file[Symbol.asyncDispose]()
  const lines = (await readFile(file.path, 'utf8')).trimEnd().split('\n')
  expect(file.count).toBe(10_000)
  expect(lines).toHaveLength(10_000)
  expect(lines.every((line, index) => line.endsWith(`{"trips":${2n ** 60n + BigInt(index)}}}`))).toBe(true)
})

test('a folder that cannot be written is an error, and stays one', async () => {
  const file = new RejectsFile(join('/dev/null', 'stats.jsonl'))
  await expect(file.add([reject(1n)])).rejects.toThrow('/dev/null')
  await expect(file.add([reject(2n)])).rejects.toThrow('/dev/null')
})
