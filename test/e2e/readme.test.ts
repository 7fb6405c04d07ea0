import {execFile} from 'node:child_process'
import {cpSync, mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterAll, describe, expect, test} from 'vitest'
import {fsBin, projectRoot} from '../support/run-fs.js'

const run = promisify(execFile)

/** The commands of every `sh` block, in order. The first block sets the clone up: `.ci/run` runs that for real. */
const blocks = [...readFileSync(join(projectRoot, 'README.md'), 'utf8').matchAll(/```sh\n([^]*?)```/g)].map(
  (match) => match[1] ?? '',
)

describe('the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fs-readme-'))
  afterAll(() => rmSync(folder, {recursive: true, force: true}))

  test('sets up with two commands', () => {
    expect(blocks[0]).toMatch(/^npm ci && npm run demo .*\nnpm test .*\n$/)
    const {scripts} = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['demo', 'test']))
  })

  test('has commands that run as printed, one after the other', async () => {
    // `npx fs` finds the package's own command as it would after `npm install feature-repo`.
    mkdirSync(join(folder, 'node_modules/.bin'), {recursive: true})
    symlinkSync(projectRoot, join(folder, 'node_modules/feature-repo'))
    symlinkSync(fsBin, join(folder, 'node_modules/.bin/fs'))
    writeFileSync(join(folder, 'package.json'), '{"name": "user", "private": true}')
    const script = blocks.slice(1).join('\n')
    expect(script.match(/^npx fs /gm)?.length).toBeGreaterThan(8)
    const {stdout} = await run('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: folder,
      env: {...process.env, NO_COLOR: '1', npm_config_offline: 'true'},
    })
    expect(stdout).toContain('driver_hourly_stats')
    expect(stdout).toContain('PRESENT')
    expect(stdout).toContain('training.parquet')
  }, 180_000)

  test('has TypeScript that compiles, and names what a feature is', async () => {
    const code = [...readFileSync(join(projectRoot, 'README.md'), 'utf8').matchAll(/```ts\n([^]*?)```/g)]
    expect(code).toHaveLength(2)
    const project = join(folder, 'typed')
    mkdirSync(join(project, 'node_modules'), {recursive: true})
    symlinkSync(projectRoot, join(project, 'node_modules/feature-repo'))
    symlinkSync(join(projectRoot, 'node_modules/@types'), join(project, 'node_modules/@types'))
    writeFileSync(join(project, 'package.json'), '{"type": "module"}')
    await run(process.execPath, [fsBin, 'init', join(project, 'scoring'), '--template', 'credit-scoring'])
    code.forEach((match, index) => writeFileSync(join(project, `block-${index}.ts`), match[1] ?? ''))
    writeFileSync(
      join(project, 'use.ts'),
      `${code[1]?.[1] ?? ''}\nconst pulls: bigint | null | undefined = row?.hard_pulls\nexport {pulls}\n`,
    )
    const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc')
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node']
    const files = ['block-0.ts', 'block-1.ts', 'use.ts']
    const {stdout} = await run(process.execPath, [tsc, ...options, ...files], {cwd: project}).catch(
      (error: unknown) => error as {stdout: string},
    )
    expect(stdout).toBe('')
  })

  test('has a demo that runs twice', async () => {
    const clone = join(folder, 'clone')
    mkdirSync(clone)
    const tracked = (await run('git', ['ls-files'], {cwd: projectRoot})).stdout.trim().split('\n')
    for (const file of tracked.filter((name) =>
      /^(bin|scripts|feature_repo_example|package\.json|schemas|templates)/.test(name),
    )) {
      cpSync(join(projectRoot, file), join(clone, file))
    }
    for (const built of ['dist', 'oclif.manifest.json', 'node_modules']) {
      symlinkSync(join(projectRoot, built), join(clone, built))
    }
    for (const _ of [1, 2]) {
      const {stdout} = await run(process.execPath, ['scripts/demo.mjs'], {
        cwd: clone,
        env: {...process.env, NO_COLOR: '1'},
      })
      expect(stdout).toContain('$ fs apply')
      expect(stdout).toContain('$ fs get-online-features')
      expect(stdout).toContain('PRESENT')
    }
  }, 180_000)

  test('prints YAML that validates as it stands', async () => {
    const yaml = [
      ...readFileSync(join(projectRoot, 'README.md'), 'utf8').matchAll(/```yaml\n([^]*?)```/g),
    ].map((match) => match[1] ?? '')
    const repo = join(folder, 'rides')
    const copy = join(folder, 'from-readme')
    cpSync(join(repo, 'data/driver_stats.parquet'), join(copy, 'data/driver_stats.parquet'), {
      recursive: true,
    })
    writeFileSync(join(copy, 'feature_store.yaml'), yaml[0] ?? '')
    writeFileSync(join(copy, 'features.yaml'), yaml[1] ?? '')
    const {stdout} = await run(process.execPath, [fsBin, 'validate', '-C', copy])
    expect(stdout).toContain('4 definitions are valid')
  })
})
