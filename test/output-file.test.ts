import {spawnSync} from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {writeWhole} from '../src/output-file.js'

describe('a file that is written whole', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'fs-output-'))))
  afterEach(() => rmSync(folder, {recursive: true, force: true}))
  const write = (path: string, text: string) => writeWhole(path, (file) => writeFile(file, text))

  test('takes the place of another, whose rights it keeps', async () => {
    const path = join(folder, 'a')
    writeFileSync(path, 'old')
    chmodSync(path, 0o600)
    await write(path, 'new')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['a'])
  })

  test('is written where a link leads', async () => {
    writeFileSync(join(folder, 'target'), 'old')
    symlinkSync('target', join(folder, 'link'))
    await write(join(folder, 'link'), 'new')
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('new')
  })

  test('a failure leaves what was there, and nothing else', async () => {
    writeFileSync(join(folder, 'a'), 'old')
    const failing = writeWhole(join(folder, 'a'), async (file) => {
      await writeFile(file, 'half')
      throw new Error('enough')
    })
    await expect(failing).rejects.toThrow('enough')
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['a'])
  })

  test('no pipe, device or folder is replaced', async () => {
    const pipe = join(folder, 'pipe')
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
    await expect(write(pipe, 'x')).rejects.toMatchObject({code: 'FS_OUTPUT_FAILED'})
    expect(statSync(pipe).isFIFO()).toBe(true)
    await expect(write(folder, 'x')).rejects.toMatchObject({code: 'FS_OUTPUT_FAILED'})
    await expect(write(join(folder, 'no/file'), 'x')).rejects.toMatchObject({code: 'FS_OUTPUT_FAILED'})
  })
})
