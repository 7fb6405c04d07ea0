import {spawn} from 'node:child_process'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {pythonTools} from '../../../scripts/services/python-tools.mjs'

const beside = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/**
 * What is wrong with statements as Redshift's: syntax, constructs of other engines, functions that are not on the list, sizes.
 * A finding says what, and the begin of the statement after ` | `. sqlglot and the list know the language, not the tables.
 */
export async function checkRedshiftSql(statements: readonly string[]): Promise<readonly string[]> {
  const python = join(pythonTools(beside('requirements.txt')), 'python')
  const functions = beside('../../../scripts/services/redshift-data/functions.txt')
  const child = spawn(python, [beside('check.py'), functions], {stdio: ['pipe', 'pipe', 'pipe']})
  const [out, complaints] = [child.stdout, child.stderr].map(async (stream) => {
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString()
  })
  child.stdin.end(JSON.stringify(statements))
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new Error(`the check of Redshift's dialect failed: ${(await complaints) ?? ''}`)
  return JSON.parse((await out) ?? '') as string[]
}
