import {afterEach, expect, test, vi} from 'vitest'
import {showProgress} from '../../src/cli/progress.js'
import type {MaterializeProgress} from '../../src/feature-store.js'

afterEach(() => vi.restoreAllMocks())

/** What a log of these events says. */
async function linesOf(events: readonly Omit<MaterializeProgress, 'view'>[]): Promise<readonly string[]> {
  const written: string[] = []
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  const display = await showProgress('lines')
  for (const event of events) display.update({view: 'stats', ...event})
  display.stop()
  return written.join('').split('\n').filter(Boolean)
}

test('a log has a line for each change, and for what is waited for', async () => {
  const writing = {phase: 'writing', rows: 500} as const
  expect(
    await linesOf([
      {phase: 'reading', rows: 0},
      {phase: 'waiting', rows: 0, waitingFor: ['run a', 'run b']},
      {phase: 'waiting', rows: 0, storeFailure: 'no answer'},
      {phase: 'waiting', rows: 0, storeFailure: 'no answer'},
      writing,
      {...writing, rows: 900},
      {...writing, rows: 1_000_600},
      {phase: 'waiting', rows: 1_000_600, storeFailure: 'too busy'},
      {phase: 'failed', rows: 1_000_600},
    ]),
  ).toEqual([
    'stats: reading',
    'stats: waiting for its turn to write, after run a; run b',
    'stats: waiting for the online store: no answer',
    'stats: writing, 500 rows',
    'stats: writing, 1,000,600 rows',
    'stats: waiting for the online store: too busy',
    'stats: failed, 1,000,600 rows',
  ])
})
