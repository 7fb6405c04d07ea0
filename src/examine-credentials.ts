import {callerIdentity} from './aws/caller-identity.js'
import type {AwsIdentity} from './aws/client-settings.js'
import type {Finding} from './examination.js'

/** As whom AWS knows this process. */
export async function credentialsFinding(identity: AwsIdentity): Promise<Finding> {
  const who = await callerIdentity(identity)
  if (who !== undefined) return {name: 'credentials', status: 'ok', detail: who}
  return {
    name: 'credentials',
    status: 'warning',
    detail: 'AWS does not say who asks',
    remedy: 'Check with `aws sts get-caller-identity`, in the same environment.',
  }
}
