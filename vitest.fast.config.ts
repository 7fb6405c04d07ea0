import {defineConfig, mergeConfig} from 'vitest/config'
import base from './vitest.config.js'

/** Everything but what takes long: property tests over engines, processes that are killed, whole sessions. */
export default mergeConfig(
  base,
  defineConfig({
    test: {
      include: ['test/**/*.test.ts'],
      exclude: ['test/e2e/**', 'test/types/**', 'node_modules/**'],
      typecheck: {enabled: false},
    },
  }),
)
