import {defineConfig} from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those need servers: vitest.stores.config.ts.
    exclude: ['test/stores/**', 'test/pacing/**', 'node_modules/**'],
    // Native addons (DuckDB, LMDB) keep state in the process: one process per file keeps files apart.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    typecheck: {enabled: true, include: ['test/**/*.test-d.ts'], tsconfig: './tsconfig.test.json'},
    disableConsoleIntercept: true,
  },
})
