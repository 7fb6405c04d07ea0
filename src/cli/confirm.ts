import {createInterface} from 'node:readline/promises'
import {FeatureStoreError} from '../errors.js'

/**
 * Goes on only after the word `yes` on the terminal. The question goes to stderr, so that stdout stays clean. Throws
 * FS_APPLY_NOT_CONFIRMED for any other answer, and where there is nobody to ask; FS_INTERRUPTED after Ctrl-C.
 */
export async function requireYes(options: {
  readonly question: string
  /** What is not done while nobody says yes. */
  readonly refusal: string
  readonly hint: string
  readonly mayAsk: boolean
}): Promise<void> {
  const {question, refusal, hint, mayAsk} = options
  if (!mayAsk || !process.stdin.isTTY || !process.stderr.isTTY) {
    throw new FeatureStoreError(
      'FS_APPLY_NOT_CONFIRMED',
      `${refusal}, and there is no terminal to ask on. Nothing was changed.`,
      {hint},
    )
  }
  if ((await ask(`${question}\nOnly 'yes' is taken as a yes: `)) !== 'yes')
    throw new FeatureStoreError('FS_APPLY_NOT_CONFIRMED', 'Not confirmed. Nothing was changed.', {hint})
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({input: process.stdin, output: process.stderr})
  let interrupted = false
  terminal.once('SIGINT', () => {
    interrupted = true
    process.stderr.write('\n')
    terminal.close()
  })
  // Ctrl-D ends the input without an answer.
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  const answer = await Promise.race([terminal.question(question).catch(() => ''), ended])
  terminal.close()
  if (interrupted) throw new FeatureStoreError('FS_INTERRUPTED', 'Stopped by the user. Nothing was changed.')
  return answer.trim()
}
