/** The parts of the aws template that are no repo: the stack as its linter reads it, and the scripts. */
import {execFile, spawn} from 'node:child_process'
import {chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest'
import {awsTools, lintTools, runScript} from '../support/aws-template/aws-tools.js'
import {projectRoot} from '../support/run-fs.js'

const run = promisify(execFile)
const infra = join(projectRoot, 'templates/aws/infra')

test('cfn-lint finds nothing in the stack, in several regions', async () => {
  const regions = ['us-east-1', 'eu-west-1', 'ap-southeast-2']
  const args = ['--include-checks', 'I', '--regions', ...regions, '--', join(infra, 'stack.yaml')]
  expect(await run(join(lintTools(), 'cfn-lint'), args)).toMatchObject({stdout: '', stderr: ''})
})

test.each(['load.sh', 'fs.sh'])('shellcheck finds nothing in %s', async (script) => {
  const found = await run(join(awsTools(), 'shellcheck'), [join(infra, script)])
  expect(found).toMatchObject({stdout: '', stderr: ''})
})

/**
 * No ECS is at hand: a program by the name of AWS's command line plays it. It shows what the script asks for and what it
 * makes of the answers, not that ECS takes it.
 */
describe('fs.sh', () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'fs-ecs-'))))
  afterEach(() => rmSync(folder, {recursive: true}))

  /** A program that takes down what it is asked, and answers as AWS's command line would. */
  const writeAws = ({
    exitCode = '0',
    task = 'arn:aws:ecs:us-east-1:123456789012:task/cluster/0123abcd',
    state = 'STOPPED',
  }) => {
    const aws = join(folder, 'aws')
    writeFileSync(
      aws,
      `#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word"; done >>"$TASK_FOLDER/$1-$2"
case "$1 $2 $*" in
'cloudformation describe-stacks'*) printf 'the-%s\\n' "$(expr "$*" : ".*OutputKey=='\\([A-Za-z]*\\)")" ;;
'ecs run-task'*) echo ${task} ;;
*lastStatus*) if [ -e "$TASK_FOLDER/asked" ]; then echo ${state}; else touch "$TASK_FOLDER/asked"; echo RUNNING; fi ;;
*exitCode*) echo ${exitCode} ;;
'logs filter-log-events'*) echo 'what fs said' ;;
esac
`,
    )
    chmodSync(aws, 0o755)
  }
  const environment = () => ({
    PATH: `${folder}:${process.env['PATH'] ?? ''}`,
    ...{TASK_FOLDER: folder, AWS_REGION: 'us-east-1', FS_STACK: 'lending', FS_POLL_SECONDS: '0.1'},
  })
  const runTask = async (words: readonly string[], answers: {exitCode: string; task?: string}) => {
    writeAws(answers)
    return runScript('fs.sh', words, {cwd: infra, env: environment(), tools: folder})
  }
  const asked = (call: string) => readFileSync(join(folder, call), 'utf8').split('\n')

  test('runs the words as they are in the network of the stack, and prints what they said', async () => {
    const words = ['get-historical-features', '--entity-sql', `SELECT 'a' AS "b", '\\'`, '$HOME *']
    expect(await runTask(words, {exitCode: '0'})).toBe('what fs said\n')
    const call = asked('ecs-run-task')
    expect(JSON.parse(call[call.indexOf('--overrides') + 1] ?? '')).toEqual({
      containerOverrides: [{name: 'fs', command: words}],
    })
    expect(call[call.indexOf('--network-configuration') + 1]).toBe(
      'awsvpcConfiguration={subnets=[the-Subnets],securityGroups=[the-TaskSecurityGroup],assignPublicIp=DISABLED}',
    )
    expect(asked('logs-filter-log-events')).toContain('fs/fs/0123abcd')
  })

  test('stops the task where it is stopped itself', async () => {
    writeAws({state: 'RUNNING'})
    const child = spawn('sh', ['fs.sh', 'apply'], {cwd: infra, env: environment(), stdio: 'ignore'})
    const ended = new Promise((resolve) => child.once('close', resolve))
    await vi.waitUntil(() => existsSync(join(folder, 'asked')))
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(asked('ecs-stop-task')).toContain('arn:aws:ecs:us-east-1:123456789012:task/cluster/0123abcd')
  })

  test('passes on no word that it would change, and tells when no task began', async () => {
    await expect(runTask(['list', 'a\nb'], {exitCode: '0'})).rejects.toMatchObject({code: 2})
    await expect(runTask(['list'], {exitCode: '0', task: 'None'})).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('began no task') as string,
    })
  })

  test.each([
    ['1', 1],
    ['2', 2],
    ['None', 1],
  ])('ends as fs did: %s', async (exitCode, code) => {
    await expect(runTask(['apply'], {exitCode})).rejects.toMatchObject({code})
  })
})
