import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {detectEntityFormat} from '../../src/retrieval/entity-file.js'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fs-retrieval-'))
})

afterAll(() => rm(folder, {recursive: true, force: true}))

describe('the format of a file of entity rows', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['rows.parquet', 'x', 'parquet'],
    ['ROWS.CSV', 'x', 'csv'],
    ['rows.tsv', 'x', 'csv'],
    ['rows.ndjson', 'x', 'json'],
    ['rows.feather', 'x', 'arrow'],
    ['parquet', 'PAR1....', 'parquet'],
    ['arrow-stream', Uint8Array.of(255, 255, 255, 255, 16, 0), 'arrow'],
    ['arrow-file', 'ARROW1\0\0', 'arrow'],
    ['json-list', ' \n[{"a": 1}]', 'json'],
    ['json-lines', '{"a": 1}', 'json'],
    ['json-marked', '\uFEFF{"a": 1}', 'json'],
    ['csv', 'driver_id,event_timestamp\n1,2', 'csv'],
  ])('is told by the name or the first bytes of %s', async (name, content, format) => {
    const path = join(folder, name)
    await writeFile(path, content)
    await expect(detectEntityFormat(path)).resolves.toBe(format)
  })

  test.each<[string, (path: string) => Promise<void>, RegExp]>([
    ['empty.csv', (path) => writeFile(path, ''), /is empty/],
    ['absent.csv', () => Promise.resolve(), /can't be read/],
  ])('is refused for %s', async (name, make, message) => {
    const path = join(folder, name)
    await make(path)
    await expect(detectEntityFormat(path)).rejects.toThrow(
      expect.objectContaining({code: 'FS_ENTITY_ROWS_INVALID', message: expect.stringMatching(message)}),
    )
  })
})
