import {spawn} from 'node:child_process'
import {fileURLToPath} from 'node:url'

export interface FsResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))
export const fsBin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** Runs the built `fs` as a user's shell would, without a terminal. */
export async function runFs(
  args: readonly string[],
  options: {readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly input?: string | Buffer} = {},
): Promise<FsResult> {
  const child = spawn(process.execPath, [fsBin, ...args], {
    cwd: options.cwd ?? projectRoot,
    env: options.env ?? {...process.env, NO_COLOR: '1'},
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return {code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString()}
}

/** Runs `fs … --json` and reads its document. Throws with both outputs when the command fails. */
export async function runFsJson(
  args: readonly string[],
  options: Parameters<typeof runFs>[1] = {},
): Promise<Record<string, unknown>> {
  const result = await runFs([...args, '--json'], options)
  if (result.code !== 0) {
    throw new Error(
      `fs ${args.join(' ')} exited with ${String(result.code)}\n${result.stdout}\n${result.stderr}`,
    )
  }
  return JSON.parse(result.stdout) as Record<string, unknown>
}
