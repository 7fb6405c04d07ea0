import {redshift} from '../../compile/dialects/redshift.js'
import {stepOf, type RelationScript} from '../../compile/relations.js'
import type {WarehouseSession} from './warehouse-session.js'

/** Runs the steps before the last, each into a temporary table, and gives the last statement. */
export async function runWarehouseSteps(session: WarehouseSession, script: RelationScript): Promise<string> {
  for (const {kept, name, sql} of script.relations)
    if (kept === 'table') await session.run(`CREATE TEMP TABLE ${name} AS ${stepOf(script, sql(), redshift)}`)
  return stepOf(script, script.select(), redshift)
}

/** Whether a relation of a script that has run has rows. */
export async function hasRows(session: WarehouseSession, table: string): Promise<boolean> {
  const [[count] = []] = await session.rows(`SELECT count(*)::varchar FROM ${table} AS counted`)
  return count !== '0'
}
