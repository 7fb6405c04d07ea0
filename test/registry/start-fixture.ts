import {build} from 'esbuild'
import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {basename, join} from 'node:path'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'

const projectRoot = fileURLToPath(new URL('../..', import.meta.url))

/** A process of our own that runs one fixture. */
export interface Fixture {
  readonly child: ChildProcess
  /** Lines it printed so far. */
  readonly lines: readonly string[]
  /** Settles when it printed such a line; fails when it ends without. */
  printed(line: string): Promise<void>
  /** Settles when it has ended, with its exit code or the signal that ended it. */
  readonly ended: Promise<number | string>
  kill(): Promise<void>
}

/** Bundles a fixture once; what it imports from packages is found from the project's own node_modules. */
export async function bundleFixture(file: URL): Promise<string> {
  const source = fileURLToPath(file)
  const outfile = join(
    projectRoot,
    'node_modules/.cache/fixtures',
    `${basename(source, '.ts')}-${process.pid}.mjs`,
  )
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'silent',
  })
  return outfile
}

/** Starts a bundled fixture with JSON-able arguments, each given as text. */
export function startFixture(bundle: string, args: readonly string[]): Fixture {
  const child = spawn(process.execPath, [bundle, ...args], {stdio: ['ignore', 'pipe', 'inherit']})
  const lines: string[] = []
  const waiting = new Map<string, () => void>()
  createInterface({input: child.stdout}).on('line', (line) => {
    lines.push(line)
    waiting.get(line)?.()
  })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  return {
    child,
    lines,
    ended,
    async printed(line) {
      if (lines.includes(line)) return
      const seen = new Promise<void>((resolve) => waiting.set(line, resolve))
      const gone = ended.then((how) => {
        if (!lines.includes(line)) throw new Error(`the fixture ended (${how}) before it printed ${line}`)
      })
      await Promise.race([seen, gone])
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
