import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {FeatureStore, type Check} from '../../src/feature-store.js'

/** What doctor finds in a repo whose feature_store.yaml has these blocks. */
export async function examineWith(repo: string, blocks: object): Promise<readonly Check[]> {
  // JSON is YAML.
  writeFileSync(join(repo, 'feature_store.yaml'), JSON.stringify({project: 'rides', ...blocks}))
  const checks: Check[] = []
  for await (const check of FeatureStore.examine(repo)) checks.push(check)
  return checks
}

export function unwell(checks: readonly Check[]): readonly Check[] {
  return checks.filter(({status}) => status !== 'ok')
}
