import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {projectRoot} from '../support/run-fs.js'

interface Manifest {
  readonly commands: Readonly<
    Record<
      string,
      {
        readonly summary?: string
        readonly examples?: readonly string[]
        readonly args: Readonly<Record<string, {readonly required?: boolean; readonly description?: string}>>
        readonly flags: Readonly<
          Record<
            string,
            {
              readonly char?: string
              readonly type: string
              readonly multiple?: boolean
              readonly required?: boolean
              readonly default?: unknown
              readonly options?: readonly string[]
              readonly summary?: string
            }
          >
        >
      }
    >
  >
}

const manifest = JSON.parse(readFileSync(join(projectRoot, 'oclif.manifest.json'), 'utf8')) as Manifest

describe('the command line is a promise to scripts', () => {
  test('commands, arguments and flags change only on purpose', () => {
    const surface = Object.entries(manifest.commands)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, command]) => {
        const args = Object.entries(command.args).map(([name, arg]) =>
          arg.required === true ? name : `[${name}]`,
        )
        const flags = Object.entries(command.flags)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, flag]) => {
            const value =
              flag.type === 'boolean'
                ? ''
                : flag.options === undefined
                  ? ' VALUE'
                  : ` ${flag.options.join('|')}`
            const marks = [
              flag.char === undefined ? '' : ` (-${flag.char})`,
              flag.multiple === true ? ' …' : '',
              flag.required === true ? ' required' : '',
              flag.default === undefined || flag.default === false
                ? ''
                : ` = ${JSON.stringify(flag.default)}`,
            ].join('')
            return `  --${name}${value}${marks}`
          })
        return [[`fs ${id.replaceAll(':', ' ')}`, ...args].join(' '), ...flags].join('\n')
      })
      .join('\n')
    expect(surface).toMatchSnapshot()
  })

  test.each(Object.entries(manifest.commands))(
    '%s says what it does, shows an example, explains each flag',
    (_, command) => {
      expect(command.summary).toMatch(/\.$/)
      expect(command.examples?.length).toBeGreaterThan(0)
      expect(
        Object.entries(command.flags).filter(
          ([, flag]) => flag.summary === undefined && flag.type !== undefined && !('description' in flag),
        ),
      ).toEqual([])
    },
  )
})
