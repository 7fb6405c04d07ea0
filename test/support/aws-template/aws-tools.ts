import {execFile} from 'node:child_process'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {pythonTools} from '../../../scripts/services/python-tools.mjs'

const run = promisify(execFile)
const requirements = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The folder of AWS's own command line `aws`, and of shellcheck. */
export function awsTools(): string {
  return pythonTools(requirements('requirements.txt'))
}

/** Where `cfn-lint` is. */
export function lintTools(): string {
  return pythonTools(requirements('../../../scripts/services/aws/requirements.txt'))
}

/** Runs a script of the template as its README does, with AWS's command line. Throws with what it said. */
export async function runScript(
  script: string,
  args: readonly string[],
  {cwd, env, tools = awsTools()}: {readonly cwd: string; readonly env: NodeJS.ProcessEnv; tools?: string},
): Promise<string> {
  const {stdout} = await run('sh', [script, ...args], {
    cwd,
    env: {...env, PATH: `${tools}:${env['PATH'] ?? ''}`},
  })
  return stdout
}
