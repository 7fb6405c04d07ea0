import ansis from 'ansis'
import {BaseCommand} from '../cli/base-command.js'
import type {Check} from '../feature-store.js'

export default class Doctor extends BaseCommand {
  static override summary =
    'Look at the repo, the registry and the stores, and tell what is wrong and what to do.'
  static override description = `Reads the configuration and asks each store whether it is there, who asks, what that user may do, whose clock is right
and more, by calls that leave nothing behind. Exits with 1 where something would fail; warnings are told and harm nothing yet.`
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --json']

  async run(): Promise<{readonly checks: readonly Check[]}> {
    const {flags} = await this.parse(Doctor)
    const {FeatureStore} = await import('../feature-store.js')
    const checks: Check[] = []
    for await (const check of FeatureStore.examine(this.repoDirectory(flags))) {
      checks.push(check)
      this.log(renderCheck(check))
    }
    const count = (status: Check['status']): number =>
      checks.filter((check) => check.status === status).length
    const [failed, warned] = [count('failed'), count('warning')]
    if (failed > 0) process.exitCode = 1
    this.log(
      `\n${checks.length} checks: ${failed} failed, ${warned === 1 ? '1 warning' : `${warned} warnings`}.`,
    )
    return {checks}
  }
}

const marks = {
  ok: ansis.green('✓'),
  warning: ansis.yellow('!'),
  failed: ansis.red('✗'),
} as const satisfies Record<Check['status'], string>

function renderCheck({part, name, status, detail, remedy}: Check): string {
  const line = `${marks[status]} ${part.padEnd(13)} ${name.padEnd(18)} ${detail}`
  return remedy === undefined ? line : `${line}\n  ${ansis.cyan('Remedy:')} ${remedy}`
}
