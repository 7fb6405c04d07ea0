import {defineConfig} from 'vitest/config'

/** What adaptive pacing settles at on a real server. It asserts rates, so it wants a machine of its own. */
export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/pacing/**/*.test.ts'],
    globalSetup: ['test/support/shared-cassandra.setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    disableConsoleIntercept: true,
  },
})
