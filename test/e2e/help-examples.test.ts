import {execFile} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {fsBin, projectRoot, runFs} from '../support/run-fs.js'

const run = promisify(execFile)
const {commands} = JSON.parse(readFileSync(join(projectRoot, 'oclif.manifest.json'), 'utf8')) as {
  commands: Readonly<Record<string, {readonly examples?: readonly string[]}>>
}
/** As a user would try them: a repo has to be applied before it can be read. */
const order = ['init', 'validate', 'plan', 'apply', 'materialize-incremental', 'materialize']
const rank = (id: string): number => (id === 'teardown' ? 99 : (order.indexOf(id) + 50) % 50)
const examples = Object.entries(commands)
  .toSorted(([one], [other]) => rank(one) - rank(other))
  .flatMap(([id, {examples: shown = []}]) =>
    shown.map((text) => ({id, line: text.replaceAll('<%= config.bin %>', 'fs')})),
  )

describe('the examples of --help', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fs-help-'))
  const repos = {minimal: join(folder, 'rides'), 'credit-scoring': join(folder, 'scoring')}
  beforeAll(async () => {
    mkdirSync(join(folder, 'bin'))
    symlinkSync(fsBin, join(folder, 'bin/fs'))
    for (const [template, repo] of Object.entries(repos)) {
      expect((await runFs(['init', repo, '--template', template])).code).toBe(0)
    }
    expect((await runFs(['apply', '-C', repos['credit-scoring']])).code).toBe(0)
  })
  afterAll(() => rmSync(folder, {recursive: true, force: true}))

  test('every command has one', () => {
    for (const [id, {examples: shown = []}] of Object.entries(commands)) expect(shown, id).not.toEqual([])
  })

  test.each(examples)('$line', async ({id, line}) => {
    const cwd = id === 'init' ? folder : /scoring/.test(line) ? repos['credit-scoring'] : repos.minimal
    const command = id === 'init' ? line.replace(/rides|scoring\b/, 'new-$&') : line
    const {PATH = '', AWS_REGION: _, AWS_DEFAULT_REGION: _default, ...rest} = process.env
    const env = {...rest, NO_COLOR: '1', PATH: `${join(folder, 'bin')}:${PATH}`}
    const done = await run('bash', ['-euo', 'pipefail', '-c', command], {cwd, env}).catch(
      (error: unknown) => error as {readonly code: number; readonly stderr: string},
    )
    // Without a terminal, what destroys data must be confirmed in the command itself; 2 says that there are changes.
    if (line === 'fs teardown')
      expect(done).toMatchObject({code: 1, stderr: expect.stringContaining('--yes')})
    // Its catalog is in AWS, which this test does without: those of lake-glue.test.ts run the command.
    else if (id === 'import:glue')
      expect(done).toMatchObject({code: 1, stderr: expect.stringContaining('Set AWS_REGION')})
    else if (line === 'fs plan --detailed-exitcode') expect(done).toMatchObject({code: 2})
    else expect(done).not.toHaveProperty('code')
  })
})
