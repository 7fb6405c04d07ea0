import {spawn} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {fsBin, runFs} from '../support/run-fs.js'

let folder = ''
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fs-wrong-'))
  expect((await runFs(['init', folder, '--template', 'minimal'])).code).toBe(0)
})
afterEach(() => rmSync(folder, {recursive: true, force: true}))

describe('a wrong command line', () => {
  test.each([
    [['plna'], 2, 'There is no command `plna`.', 'Did you mean `plan`?'],
    [['runs', 'shw'], 2, 'There is no command `runs shw`.', 'Did you mean `runs show`?'],
    [['plan', 'extra'], 2, '`fs plan` takes no argument `extra`.', 'Run `fs plan --help`.'],
    [
      ['plan', '--detailed-exitcod'],
      2,
      'Nonexistent flag: --detailed-exitcod.',
      'Did you mean `--detailed-exitcode`?',
    ],
    [['list'], 2, expect.stringContaining('Missing 1 required arg'), 'Run `fs list --help`.'],
    [['get-online-features'], 2, expect.stringContaining('Missing required flag entity'), expect.any(String)],
    [
      ['materialize-incremental', '--parallel', '0'],
      2,
      '--parallel: Expected an integer greater than or equal to 1 but received: 0.',
      'Run `fs materialize-incremental --help`.',
    ],
    [['list', 'vews'], 1, expect.stringContaining('`vews` is no kind'), undefined],
    [['status', '--now', 'noon'], 1, expect.stringMatching(/^--now: `noon` is no time/), expect.any(String)],
  ] as const)(
    '%j says what was meant, as text and as one JSON document',
    async (args, code, message, hint) => {
      const json = await runFs([...args, '--json'], {cwd: folder})
      expect(json.code).toBe(code)
      const {error} = JSON.parse(json.stdout) as {error: {message: string}}
      expect(error).toEqual({code: 'FS_ARGUMENT_INVALID', message, ...(hint === undefined ? {} : {hint})})
      const text = await runFs(args, {cwd: folder})
      expect(text).toMatchObject({code, stdout: ''})
      expect(text.stderr).toContain(error.message)
      expect(text.stderr).not.toMatch(/\n\s+at /)
    },
  )
})

test('entity rows on their way in are not left behind when the command is stopped', async () => {
  expect((await runFs(['apply', '-C', folder])).code).toBe(0)
  const spool = mkdtempSync(join(tmpdir(), 'fs-spool-'))
  const args = ['get-historical-features', '--entities', '-', '--features', 'driver_hourly_stats']
  const child = spawn(process.execPath, [fsBin, ...args], {
    cwd: folder,
    env: {...process.env, TMPDIR: spool},
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  child.stdin.write('driver_id,event_timestamp\n1001,2024-01-01\n')
  const ended = new Promise((resolve) => child.on('close', (code) => resolve(code)))
  const spooled = (): boolean => readdirSync(spool).some((name) => readdirSync(join(spool, name)).length > 0)
  for (let waited = 0; !spooled() && waited < 200; waited += 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
  expect(spooled()).toBe(true)
  child.kill('SIGTERM')
  expect(await ended).toBe(130)
  expect(readdirSync(spool)).toEqual([])
  rmSync(spool, {recursive: true})
})

describe('trouble in a repo', () => {
  test('code of the user prints to stderr and can not end the process', async () => {
    writeFileSync(join(folder, 'noisy.ts'), 'console.log("hello")\nexport {}\n')
    const noisy = await runFs(['plan', '--json'], {cwd: folder})
    expect(noisy.code).toBe(0)
    expect(JSON.parse(noisy.stdout)).toHaveProperty('changes')
    expect(noisy.stderr).toContain('hello')

    writeFileSync(join(folder, 'ends.ts'), 'export {}\n\nprocess.exit(0)\n')
    const ended = await runFs(['validate'], {cwd: folder})
    expect(ended.code).toBe(1)
    expect(ended.stdout).toMatch(/ends\.ts:3:\d+.*process\.exit/)
  })

  test('what can not be read is a problem like every other', async () => {
    symlinkSync('/nowhere', join(folder, 'broken.yaml'))
    writeFileSync(join(folder, 'wrong.yaml'), 'kind: entty\n')
    const {code, stdout} = await runFs(['validate'], {cwd: folder})
    expect(code).toBe(1)
    expect(stdout).toContain("broken.yaml: This file can't be read")
    expect(stdout).toContain('wrong.yaml:1:7')
  })

  test('definitions behind a link count', async () => {
    const shared = mkdtempSync(join(tmpdir(), 'fs-shared-'))
    writeFileSync(
      join(shared, 'more.yaml'),
      'kind: entity\nname: shop\njoin_keys: [{name: shop_id, value_type: int64}]\n',
    )
    symlinkSync(shared, join(folder, 'shared'))
    mkdirSync(join(folder, 'sub'))
    // A link to a folder above it ends the walk, not the process.
    symlinkSync('..', join(folder, 'sub/up'))
    const {stdout, code} = await runFs(['plan', '--json'], {cwd: folder})
    rmSync(shared, {recursive: true})
    expect(code).toBe(0)
    const {changes} = JSON.parse(stdout) as {changes: {address: string; fields: object[]}[]}
    expect(changes.filter(({address}) => address === 'entity/shop')).toHaveLength(1)
    // Nothing is left out where a field was not there before.
    for (const {fields} of changes) for (const field of fields) expect(field).toHaveProperty('before', null)
  })

  test('a single problem of feature_store.yaml is told once', async () => {
    writeFileSync(join(folder, 'feature_store.yaml'), 'project: ${NOWHERE_SET}\n')
    const {stderr} = await runFs(['validate'], {cwd: folder})
    expect(stderr.match(/`?NOWHERE_SET`? is not set|NOWHERE_SET.*(un|not )set/g)).toHaveLength(1)
    expect(stderr.match(/feature_store\.yaml:1/g)).toHaveLength(1)
  })
})
