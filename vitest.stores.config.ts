import {availableParallelism} from 'node:os'
import {defineConfig} from 'vitest/config'

/** What needs servers, which `npm run services:up` installs. Files of Cassandra share one; others start their own. */
export default defineConfig({
  test: {
    pool: 'forks',
    // Of two cores vitest alone would use one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    disableConsoleIntercept: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'cassandra',
          include: ['test/stores/{cassandra,keyspaces}*.test.ts'],
          globalSetup: ['test/support/shared-cassandra.setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'others',
          include: ['test/stores/**/*.test.ts'],
          exclude: ['test/stores/{cassandra,keyspaces}*.test.ts'],
        },
      },
    ],
  },
})
