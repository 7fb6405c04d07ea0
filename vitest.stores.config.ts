import {defineConfig} from 'vitest/config'

/** What needs servers. `npm run services:up` installs what is missing; each test file starts its own. */
export default defineConfig({
  test: {
    include: ['test/stores/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    disableConsoleIntercept: true,
  },
})
