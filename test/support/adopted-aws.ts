import {CreateBucketCommand, S3Client} from '@aws-sdk/client-s3'
import {startAws, type AwsStandIn} from './aws-stand-in.js'

/** An AWS of one's own that this process, and those that it starts, take for AWS. */
export interface AdoptedAws extends AwsStandIn {
  readonly s3: S3Client
}

/** Starts one with a bucket. Until it is disposed of, the variables of this process name it, and are `variables`. */
export async function adoptAws({
  bucket,
  redshift = false,
  variables = {},
}: {
  readonly bucket: string
  readonly redshift?: boolean
  readonly variables?: Readonly<Record<string, string>>
}): Promise<AdoptedAws> {
  const aws = await startAws({redshift})
  const before = new Map<string, string | undefined>()
  for (const [name, value] of Object.entries({...aws.environment, ...variables})) {
    before.set(name, process.env[name])
    process.env[name] = value
  }
  const s3 = new S3Client({forcePathStyle: true})
  await s3.send(new CreateBucketCommand({Bucket: bucket}))
  const dispose = async (): Promise<void> => {
    s3.destroy()
    for (const [name, value] of before)
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
    await aws.dispose()
  }
  return {...aws, s3, dispose, [Symbol.asyncDispose]: dispose}
}
