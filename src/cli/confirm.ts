import {createInterface} from 'node:readline/promises'

/** Asks on the terminal; only the word `yes` is a yes. The question goes to stderr, so that stdout stays clean. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({input: process.stdin, output: process.stderr})
  try {
    return (await terminal.question(`${question}\nOnly 'yes' is taken as a yes: `)).trim() === 'yes'
  } finally {
    terminal.close()
  }
}

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}
