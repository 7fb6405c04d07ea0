import {s3Endpoint} from '../../../aws/client-settings.js'
import {quoteName, quoteText} from '../../../compile/dialects/duckdb-names.js'
import type {RoleBelow} from '../../../definitions/definition.js'
import type {EngineSession, NamedPath} from './named-path.js'
import type {S3Access} from './s3-access.js'

/**
 * What one database of the engine signs its own requests with. It renews nothing itself: a statement goes on with what it
 * was given when it began. Those of an assumed role hold for an hour and are renewed five minutes before that, so that a
 * scan which takes longer than what is left of them fails; it has to be cut into several, as by shorter intervals.
 */
export class S3Secrets {
  /** What holds in the database, by the name of the secret. */
  readonly #given = new Map<string, string>()

  /** Before each statement that reads: what has changed by then is given anew. Of two that fit, the longer scope counts. */
  async give(session: EngineSession, bucket: string, source: NamedPath, access: S3Access): Promise<void> {
    const {role} = source
    const scope = role === undefined ? `s3://${bucket}/` : scopeOf(source.path, role)
    const {accessKeyId, secretAccessKey, sessionToken} = await access.credentials()
    const endpoint = s3Endpoint()
    const url = endpoint === undefined ? undefined : new URL(endpoint)
    const settings: readonly (readonly [string, string | undefined])[] = [
      ['KEY_ID', quoteText(accessKeyId)],
      ['SECRET', quoteText(secretAccessKey)],
      ['SESSION_TOKEN', sessionToken && quoteText(sessionToken)],
      ['REGION', quoteText(await access.regionOf(bucket))],
      ['SCOPE', quoteText(scope)],
      ['ENDPOINT', url && quoteText(url.host)],
      ['URL_STYLE', url && `'path'`],
      ['USE_SSL', url && String(url.protocol === 'https:')],
    ]
    const given = settings.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
    const name = `s3 ${scope} ${role?.arn ?? ''}`
    const secret = `(TYPE s3, ${given.join(', ')})`
    if (this.#given.get(name) === secret) return
    await session.run(`CREATE OR REPLACE TEMPORARY SECRET ${quoteName(name)} ${secret}`)
    this.#given.set(name, secret)
  }
}

/** A partition may lie elsewhere than its table. */
function scopeOf(path: string, {below}: RoleBelow): string {
  const folder = `${path.replace(/\/+$/, '')}/`
  return folder.startsWith(below) ? below : folder
}
