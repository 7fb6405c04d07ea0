import {defineConfig} from 'vitest/config'
import base from './vitest.config.js'

/** The notebook of the example: needs Python, and installs its packages once. */
export default defineConfig({
  test: {...base.test, include: ['test/e2e/notebook.test.ts'], exclude: [], typecheck: {enabled: false}},
})
