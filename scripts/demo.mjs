// Shows feature_repo_example at work, each step as the `fs` command that it is. May be run again and again.
import {spawnSync} from 'node:child_process'
import {fileURLToPath} from 'node:url'

const repo = fileURLToPath(new URL('../feature_repo_example', import.meta.url))
const fs = fileURLToPath(new URL('../bin/run.js', import.meta.url))

// The generated rows end in July 2021, and a credit report counts for 90 days.
const now = '--now 2021-09-01T00:00:00Z'
const loans = 'get-historical-features --entities data/loan_table.parquet --feature-service credit_scoring'

for (const step of [
  `plan`,
  `apply --yes`,
  `materialize-incremental ${now}`,
  `status`,
  `${loans} --output data/training.parquet`,
  `${loans} --format table`,
  `get-online-features --entity zipcode=94109,dob_ssn=19530219_5179 --feature-service credit_scoring ${now}`,
]) {
  console.log(`\n$ fs ${step}`)
  const {status} = spawnSync(process.execPath, [fs, ...step.split(' ')], {cwd: repo, stdio: 'inherit'})
  if (status !== 0) process.exit(status ?? 1)
}
