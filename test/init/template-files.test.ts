import {Ajv} from 'ajv'
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import ts from 'typescript'
import {afterAll, describe, expect, test} from 'vitest'
import {parseAllDocuments} from 'yaml'
import {createRepo} from '../../src/init/create-repo.js'
import {templates} from '../../src/init/templates.js'
import {projectRoot} from '../support/run-fs.js'

const made = mkdtempSync(join(tmpdir(), 'fs-templates-'))
afterAll(() => rmSync(made, {recursive: true}))
for (const template of Object.keys(templates))
  await createRepo({
    directory: join(made, template),
    ...{template, project: 'rides', templatesDirectory: join(projectRoot, 'templates')},
    runSql: () => Promise.resolve(),
  })

describe.each(Object.keys(templates))('the files of %s', (template) => {
  const folder = join(made, template)
  const files = readdirSync(folder)

  test.each(files.filter((file) => file.endsWith('.yaml')))('%s names its schema, and keeps it', (file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    const schema = /^# yaml-language-server: \$schema=\.\/node_modules\/feature-repo\/(\S+)\n/.exec(text)?.[1]
    expect(schema).toBeDefined()
    const validate = new Ajv({strict: false, validateFormats: false}).compile(
      JSON.parse(readFileSync(join(projectRoot, schema ?? ''), 'utf8')) as object,
    )
    for (const document of parseAllDocuments(text)) {
      expect(validate(document.toJS()), JSON.stringify(validate.errors)).toBe(true)
    }
  })

  test.each(files.filter((file) => file.endsWith('.ts')))(
    '%s compiles as strictly as a user may have it',
    (name) => {
      const program = ts.createProgram([join(folder, name)], {
        noEmit: true,
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
        types: ['node'],
        paths: {'feature-repo': [join(projectRoot, 'src/definitions/builders.ts')]},
      })
      const messages = ts.getPreEmitDiagnostics(program).map(({file, messageText}) => ({
        file: file?.fileName,
        message: ts.flattenDiagnosticMessageText(messageText, '\n'),
      }))
      expect(messages).toEqual([])
    },
  )
})
