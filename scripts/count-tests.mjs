// Prints `PASSED FAILED` of a vitest JSON report. Skipped and pending tests count as failed: nothing passes by skipping.
// With a second path, the names and messages of those that did not pass are added to that file.
import {appendFileSync, readFileSync} from 'node:fs'

const [, , reportPath, failuresPath] = process.argv
const report = JSON.parse(readFileSync(reportPath, 'utf8'))
const suites = report.testResults ?? []
const isBroken = (suite) => suite.status === 'failed' && suite.assertionResults.length === 0
const passed = report.numPassedTests
console.log(`${passed} ${report.numTotalTests - passed + suites.filter(isBroken).length}`)

if (failuresPath !== undefined) {
  for (const suite of suites) {
    if (isBroken(suite)) appendFileSync(failuresPath, `✘ ${suite.name}\n${suite.message}\n`)
    for (const test of suite.assertionResults.filter(({status}) => status !== 'passed')) {
      const messages = test.failureMessages ?? []
      appendFileSync(
        failuresPath,
        `✘ ${suite.name} › ${test.fullName} (${test.status})\n${messages.join('\n')}\n`,
      )
    }
  }
}
