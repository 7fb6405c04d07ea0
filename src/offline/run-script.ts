/** Runs a SQL script of ours (a template's generator) in the engine that `fs` carries anyway; loaded when asked for. */
export async function runScript(script: string, directory: string): Promise<void> {
  const {runSqlScript} = await import('./duckdb/run-sql-script.js')
  await runSqlScript(script, directory)
}
