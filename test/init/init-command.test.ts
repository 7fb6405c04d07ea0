import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {templates, type Template, type TemplateName} from '../../src/init/templates.js'
import {runFs, runFsJson} from '../support/run-fs.js'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'fs-init-command-'))))
afterEach(() => rmSync(folder, {recursive: true, force: true}))

const names = Object.keys(templates) as readonly TemplateName[]
const needsMore = (name: TemplateName) => (templates[name] as Template).readmeBeginsWith !== undefined

test.each(names.filter((name) => !needsMore(name)))(
  'the steps printed for %s run as printed, and load rows',
  async (template) => {
    const repo = join(folder, 'new repo')
    const created = await runFs(['init', repo, '--template', template])
    expect(created).toMatchObject({code: 0, stderr: ''})
    expect(created.stdout).toContain(`cd '`)
    const steps = [...created.stdout.matchAll(/^ {2}(?:npx )?fs (.+)$/gm)].map((match) => match[1] ?? '')
    expect(steps.map((step) => step.split(' ')[0])).toEqual([
      'validate',
      'apply',
      'materialize-incremental',
      'status',
    ])
    for (const step of steps) {
      const args = step === 'apply' ? ['apply', '--yes'] : step.split(' ')
      expect(await runFs([...args, '-C', repo]), step).toMatchObject({code: 0})
    }
    const {views} = (await runFsJson(['status', '-C', repo])) as {views: {name: string; rows: number}[]}
    expect(views.length).toBeGreaterThan(0)
    for (const view of views) expect(view.rows, view.name).toBeGreaterThan(0)
  },
)

test.each(names.filter(needsMore))(
  'for %s, which needs more than a command, the README is named',
  async (template) => {
    const {stdout} = await runFs(['init', join(folder, 'new'), '--template', template])
    expect(stdout).toMatch(/\nNext:\n {2}README\.md, which begins with the stack that it needs\.\n$/)
    expect(stdout).not.toContain('fs apply')
  },
)

test('a folder in use is refused with a code that scripts can read', async () => {
  const repo = join(folder, 'rides')
  expect(await runFsJson(['init', repo])).toMatchObject({
    directory: repo,
    project: 'rides',
    template: 'minimal',
  })
  const again = await runFs(['init', repo, '--json'])
  expect(again.code).toBe(1)
  expect(JSON.parse(again.stdout)).toMatchObject({error: {code: 'FS_DIRECTORY_NOT_EMPTY'}})
})
