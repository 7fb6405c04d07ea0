// Prints `PASSED FAILED` of a vitest JSON report. Skipped and pending tests count as failed: nothing passes by skipping.
import {readFileSync} from 'node:fs'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const suites = report.testResults ?? []
const brokenFiles = suites.filter(
  (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
).length
const passed = report.numPassedTests
console.log(`${passed} ${report.numTotalTests - passed + brokenFiles}`)
