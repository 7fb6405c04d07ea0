import type {AwsIdentity} from '../../aws/client-settings.js'
import {formatS3Location, type S3Location} from '../../aws/s3/s3-location.js'
import type {S3Objects} from '../../aws/s3/s3-objects.js'
import type {Instant} from '../../definitions/instant.js'
import {clockFinding, millisOf, type Examination, type Finding} from '../../examination.js'
import {credentialsFinding} from '../../examine-credentials.js'

/** Of no object: a put on the condition that it is there is looked at, and not carried out. */
const noEtag = '"00000000000000000000000000000000"'

/**
 * Who asks, what the clock of S3 says, and whether the registry may be written: by a put that can't take effect. It goes
 * beside the registry, since not all that speaks S3 looks at conditions, and there it would take effect.
 */
export async function* examineS3Registry(
  objects: S3Objects,
  {
    place,
    identity,
    clock,
  }: {readonly place: S3Location; readonly identity: AwsIdentity; readonly clock: () => Instant},
): Examination {
  yield await credentialsFinding(identity)
  const probe = {...place, key: `${place.key}.doctor`}
  const asked = millisOf(clock())
  const error = await objects.putText(probe, '{}', {condition: {etag: noEtag}}).then(
    () => undefined,
    (cause: unknown) => cause,
  )
  const answered = millisOf(clock())
  if (error === undefined) return yield await unconditionalFinding(objects, probe)
  const date = dateOf(error)
  // The header has no parts of a second.
  if (date !== undefined) yield clockFinding(date + 500, [asked - 500, answered + 500])
  const {kind, reason, hint} = await objects.failure(error, place)
  yield kind === 'precondition' || kind === 'no-key'
    ? {name: 'writable', status: 'ok', detail: `${formatS3Location(place)}, on conditions`}
    : {name: 'writable', status: 'failed', detail: `${formatS3Location(probe)}: ${reason}`, remedy: hint}
}

/** Of a put that was carried out though its condition did not hold; removes what it made. */
async function unconditionalFinding(objects: S3Objects, probe: S3Location): Promise<Finding> {
  const isRemoved = await objects.delete(probe).then(
    () => true,
    () => false,
  )
  return {
    name: 'writable',
    status: 'failed',
    detail: `this endpoint ignores the conditions of a write (If-Match): of two that apply at once, one could lose its update${isRemoved ? '' : `; ${formatS3Location(probe)}, which showed that, can't be removed`}`,
    remedy:
      'Keep the registry in S3 of AWS or in what looks at conditions as it does, or in PostgreSQL; else let only one apply or load at a time.',
  }
}

/** When S3 answered, as its answer says. */
function dateOf(error: unknown): number | undefined {
  const {$response} = (error ?? {}) as {
    readonly $response?: {readonly headers?: Readonly<Record<string, string>>}
  }
  const millis = Date.parse($response?.headers?.['date'] ?? '')
  return Number.isNaN(millis) ? undefined : millis
}
