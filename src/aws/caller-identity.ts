import {awsClientSettings, type AwsIdentity} from './client-settings.js'

const patienceMillis = 5000

/**
 * The ARN that AWS knows this process by, as `aws sts get-caller-identity` tells it; no permission is needed for that.
 * Undefined where it can't be had in 5 seconds: who asks wants to say more of another failure.
 */
export async function callerIdentity(identity: AwsIdentity): Promise<string | undefined> {
  const {GetCallerIdentityCommand, STSClient} = await import('@aws-sdk/client-sts')
  const client = new STSClient({...awsClientSettings(identity), maxAttempts: 2})
  try {
    const {Arn} = await client.send(new GetCallerIdentityCommand({}), {
      abortSignal: AbortSignal.timeout(patienceMillis),
    })
    return Arn
  } catch {
    return undefined
  } finally {
    client.destroy()
  }
}
