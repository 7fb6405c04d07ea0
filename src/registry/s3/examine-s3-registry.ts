import type {AwsIdentity} from '../../aws/client-settings.js'
import {formatS3Location, type S3Location} from '../../aws/s3/s3-location.js'
import type {S3Objects} from '../../aws/s3/s3-objects.js'
import type {Instant} from '../../definitions/instant.js'
import {clockFinding, millisOf, type Examination} from '../../examination.js'
import {credentialsFinding} from '../../examine-credentials.js'

/** Of no object: a put on the condition that it is there is looked at, and never carried out. */
const noEtag = '"00000000000000000000000000000000"'

/** Who asks, what the clock of S3 says, and whether the registry may be written: by a put that can't take effect. */
export async function* examineS3Registry(
  objects: S3Objects,
  {
    place,
    identity,
    clock,
  }: {readonly place: S3Location; readonly identity: AwsIdentity; readonly clock: () => Instant},
): Examination {
  yield await credentialsFinding(identity)
  const asked = millisOf(clock())
  const error = await objects.putText(place, '', {condition: {etag: noEtag}}).then(
    () => undefined,
    (cause: unknown) => cause,
  )
  const answered = millisOf(clock())
  const date = dateOf(error)
  // The header has no parts of a second.
  if (date !== undefined) yield clockFinding(date + 500, [asked - 500, answered + 500])
  const {kind, reason, hint} = await objects.failure(error, place)
  yield kind === 'precondition' || kind === 'no-key'
    ? {name: 'writable', status: 'ok', detail: `${formatS3Location(place)}, on conditions`}
    : {name: 'writable', status: 'failed', detail: reason, remedy: hint}
}

/** When S3 answered, as its answer says. */
function dateOf(error: unknown): number | undefined {
  const {$response} = (error ?? {}) as {
    readonly $response?: {readonly headers?: Readonly<Record<string, string>>}
  }
  const millis = Date.parse($response?.headers?.['date'] ?? '')
  return Number.isNaN(millis) ? undefined : millis
}
