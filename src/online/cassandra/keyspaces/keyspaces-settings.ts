import {readFile} from 'node:fs/promises'
import {isIP} from 'node:net'
import {resolve} from 'node:path'
import type {ConnectionOptions} from 'node:tls'
import {isSystemKeyspace} from '../cassandra-settings.js'
import {FeatureStoreError} from '../../../errors.js'

/** Where Amazon Keyspaces is, how to trust it, and as whom to log in. */
export interface KeyspacesSettings {
  readonly contactPoints: readonly string[]
  readonly port: number
  /** To the driver a region is a data center. */
  readonly localDataCenter: string
  readonly region: string
  readonly keyspace: string
  readonly ssl: ConnectionOptions
  /** For `awsCredentials`, which adds the region. */
  readonly role: {readonly roleArn?: string; readonly externalId?: string}
  readonly consistency: {readonly read: ReadConsistency; readonly write: 'LOCAL_QUORUM'}
}

/** https://docs.aws.amazon.com/keyspaces/latest/devguide/consistency.html */
const readConsistencies = ['LOCAL_QUORUM', 'LOCAL_ONE', 'ONE'] as const
type ReadConsistency = (typeof readConsistencies)[number]

const defaultPort = 9142

/** Reads the store's block of feature_store.yaml. Throws FS_CONFIG_INVALID. */
export async function readKeyspacesSettings(
  settings: Readonly<Record<string, unknown>>,
  repoDirectory: string,
): Promise<KeyspacesSettings> {
  const {region, keyspace, roleArn, externalId, endpoint, caFile, consistency} = settings as {
    readonly region: string
    readonly keyspace: string
    readonly roleArn?: string
    readonly externalId?: string
    readonly endpoint?: string
    readonly caFile?: string
    readonly consistency?: {readonly read?: string; readonly write?: string}
  }
  if (!/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(region))
    throw invalid(`\`region\` is no region of AWS: \`${region}\``, 'Write, for example, region: eu-west-1.')
  // Longer names and others are refused by Keyspaces, quoted or not.
  if (!/^\w{1,48}$/.test(keyspace))
    throw invalid(
      `\`keyspace\` has more than 48 characters, or others than letters, digits and underscores: \`${keyspace}\``,
      'Name a keyspace that exists in the region.',
    )
  if (isSystemKeyspace(keyspace))
    throw invalid(`\`keyspace\` ${keyspace} is one of Amazon's own`, 'Name a keyspace of yours.')
  const {host, port} =
    endpoint === undefined ? {host: endpointOf(region), port: defaultPort} : parseEndpoint(endpoint)
  return {
    contactPoints: [host],
    port,
    localDataCenter: region,
    region,
    keyspace,
    role: readRole(roleArn, externalId),
    consistency: readConsistency(consistency),
    ssl: {
      // The driver's own default is to accept any certificate.
      rejectUnauthorized: true,
      // It connects to addresses; the certificate has the name. (TLS has no way to ask for an address by name.)
      ...(isIP(host) === 0 ? {servername: host} : {}),
      // Without it Node's own list is used, which holds the roots of Amazon: https://www.amazontrust.com/repository
      ...(caFile === undefined ? {} : {ca: await readCertificates(resolve(repoDirectory, caFile), caFile)}),
    },
  }
}

/** https://docs.aws.amazon.com/keyspaces/latest/devguide/programmatic.endpoints.html */
function endpointOf(region: string): string {
  return `cassandra.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

function parseEndpoint(text: string): {readonly host: string; readonly port: number} {
  // An IPv6 address stands in brackets where a port follows.
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const number = Number(port ?? defaultPort)
  if (host === undefined || number < 1 || number > 65_535)
    throw invalid(
      `\`endpoint\` is no host or host:port: \`${text}\``,
      'Write the name of a VPC endpoint, without https://; leave it out for the public endpoint of the region.',
    )
  return {host, port: number}
}

function readRole(roleArn: string | undefined, externalId: string | undefined): KeyspacesSettings['role'] {
  if (roleArn === undefined) {
    if (externalId === undefined) return {}
    throw invalid('`external_id` needs a `role_arn`', 'Name the role to assume, or leave `external_id` out.')
  }
  if (!/^arn:aws[\w-]*:iam::\d{12}:role\/./.test(roleArn))
    throw invalid(
      `\`role_arn\` is no role: \`${roleArn}\``,
      'Write, for example, role_arn: arn:aws:iam::123456789012:role/features.',
    )
  return {roleArn, ...(externalId === undefined ? {} : {externalId})}
}

function readConsistency({
  read = 'LOCAL_QUORUM',
  write = 'LOCAL_QUORUM',
}: {readonly read?: string; readonly write?: string} = {}): KeyspacesSettings['consistency'] {
  if (write !== 'LOCAL_QUORUM')
    throw invalid(
      `Amazon Keyspaces writes with LOCAL_QUORUM only, not \`${write}\``,
      'Leave `consistency.write` out.',
    )
  const known = readConsistencies.find((one) => one === read)
  if (known === undefined)
    throw invalid(
      `Amazon Keyspaces has no reads with \`${read}\`, only with ${readConsistencies.join(', ')}`,
      'Set `consistency.read` to LOCAL_QUORUM; or to LOCAL_ONE, which costs half and may miss the newest write.',
    )
  return {read: known, write}
}

async function readCertificates(path: string, shown: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw invalid(`${shown} can't be read`, 'Name a PEM file, relative to the repo.', cause)
  })
}

function invalid(reason: string, hint: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError('FS_CONFIG_INVALID', `\`online_store\`: ${reason}.`, {hint, cause})
}
