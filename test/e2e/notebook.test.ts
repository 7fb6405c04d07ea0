import {execFile} from 'node:child_process'
import {createHash} from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {fsBin, projectRoot, runFs} from '../support/run-fs.js'

const run = promisify(execFile)

interface Notebook {
  readonly cells: readonly {
    readonly id: string
    readonly cell_type: 'markdown' | 'code'
    readonly execution_count?: number | null
    readonly outputs?: readonly {
      readonly text?: readonly string[]
      readonly data?: Readonly<Record<string, unknown>>
    }[]
  }[]
}

describe("the example's notebook", () => {
  const folder = mkdtempSync(join(tmpdir(), 'fs-notebook-'))
  const repo = join(folder, 'scoring')
  let python = ''
  beforeAll(async () => {
    python = await preparePython()
    expect((await runFs(['init', repo, '--template', 'credit-scoring'])).code).toBe(0)
    // `npx fs` finds the package's own command as it would after `npm install feature-repo`.
    mkdirSync(join(repo, 'node_modules/.bin'), {recursive: true})
    symlinkSync(projectRoot, join(repo, 'node_modules/feature-repo'))
    symlinkSync(fsBin, join(repo, 'node_modules/.bin/fs'))
  }, 600_000)
  afterAll(() => rmSync(folder, {recursive: true, force: true}))

  test('is kept without outputs', () => {
    for (const cell of readNotebook(join(projectRoot, 'feature_repo_example/notebook.ipynb')).cells) {
      expect(cell.outputs ?? []).toEqual([])
      expect(cell.execution_count ?? null).toBeNull()
    }
  })

  test('runs from top to bottom, and again', async () => {
    const executed = join(folder, 'executed.ipynb')
    for (const _ of [1, 2]) {
      await runNotebook(join(repo, 'notebook.ipynb'), executed)
      const {cells} = readNotebook(executed)
      expect(outputOf(cells, 'frame')).toContain('(1500, 28)')
      expect(outputOf(cells, 'pandas')).toContain('missed_payments_1y')
      expect(outputOf(cells, 'polars')).toContain('unpaid')
      expect(
        cells.find(({id}) => id === 'plot')?.outputs?.map(({data}) => Object.keys(data ?? {})),
      ).toContainEqual(expect.arrayContaining(['image/png']))
      expect(outputOf(cells, 'online')).toMatch(/missed_payments_1y +\d+ +PRESENT/)
    }
  }, 300_000)

  test('stops where `fs` fails, with its message', async () => {
    const broken = join(folder, 'broken')
    cpSync(repo, broken, {recursive: true, verbatimSymlinks: true})
    rmSync(join(broken, 'data/loan_table.parquet'))
    const failure = await runNotebook(join(broken, 'notebook.ipynb'), join(folder, 'broken.ipynb')).then(
      () => undefined,
      (error: unknown) => error as Error & {stderr: string},
    )
    expect(failure?.stderr).toContain('CalledProcessError')
    expect(failure?.stderr).toContain('loan_table.parquet')
    expect(existsSync(join(folder, 'broken.ipynb'))).toBe(false)
  }, 300_000)

  async function runNotebook(source: string, target: string): Promise<void> {
    await run(python, [join(projectRoot, 'test/e2e', 'run-notebook.py'), source, target], {
      env: {...process.env, NO_COLOR: '1', npm_config_offline: 'true', PYDEVD_DISABLE_FILE_VALIDATION: '1'},
    })
  }
})

/** Python with the notebook's own requirements, in a folder that later runs use again. */
async function preparePython(): Promise<string> {
  const requirements = join(projectRoot, 'feature_repo_example/requirements.txt')
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const environment = join(tmpdir(), `feature-repo-notebook-${digest}`)
  const python = join(environment, 'bin/python')
  const ready = join(environment, 'ready')
  if (!existsSync(ready)) {
    await run('python3', ['-m', 'venv', '--clear', environment]).catch((cause: unknown) => {
      throw new Error('The notebook test needs `python3` (3.11 or newer) with its venv module on the PATH.', {
        cause,
      })
    })
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements])
    writeFileSync(ready, '')
  }
  return python
}

function readNotebook(file: string): Notebook {
  return JSON.parse(readFileSync(file, 'utf8')) as Notebook
}

function outputOf(cells: Notebook['cells'], id: string): string {
  const outputs = cells.find((cell) => cell.id === id)?.outputs ?? []
  return outputs
    .flatMap(({text, data}) => [text, data?.['text/plain']])
    .flat()
    .join('')
}
