import {availableParallelism} from 'node:os'
import {defineConfig} from 'vitest/config'
import {realFiles} from './test/support/real-files.js'

const ofRealFiles = 'test/e2e/real-files.test.ts'
if (realFiles === undefined)
  console.warn(
    `${ofRealFiles} is left out: FEATURE_REPO_REAL_DATA names no folder with the public sample files.`,
  )

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those need servers: vitest.stores.config.ts.
    exclude: [
      'test/stores/**',
      'test/pacing/**',
      'node_modules/**',
      ...(realFiles === undefined ? [ofRealFiles] : []),
    ],
    // Native addons (DuckDB, LMDB) keep state in the process: one process per file keeps files apart.
    pool: 'forks',
    // Of two cores vitest alone would use one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    typecheck: {enabled: true, include: ['test/**/*.test-d.ts'], tsconfig: './tsconfig.test.json'},
    disableConsoleIntercept: true,
  },
})
