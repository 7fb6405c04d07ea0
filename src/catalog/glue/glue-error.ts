import {FeatureStoreError} from '../../errors.js'

/** What a failed question to the Glue Data Catalog means for the user; `what` is the database, or database and table. */
export function glueError(
  error: unknown,
  asked: {
    readonly operation: string
    readonly what: string
    readonly region: string
    readonly catalogId: string | undefined
    readonly roleArn: string | undefined
  },
): unknown {
  if (!(error instanceof Error) || error instanceof FeatureStoreError) return error
  const {operation, what, region, catalogId, roleArn} = asked
  const kind = what.includes('.') ? 'table' : 'database'
  const where = `the Glue catalog${catalogId === undefined ? '' : ` of account ${catalogId}`} in ${region}`
  const reason = error.message.trim().replace(/\.?$/, '.')
  switch (error.name) {
    case 'EntityNotFoundException':
      return new FeatureStoreError(
        'FS_SOURCE_UNREADABLE',
        `There is no ${kind} \`${what}\` in ${where}: ${reason}`,
        {
          hint: 'Check `database` and `table`, and that AWS_REGION is the region of the catalog.',
          cause: error,
        },
      )
    case 'AccessDeniedException':
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
    case 'ExpiredTokenException':
      return new FeatureStoreError(
        'FS_SOURCE_UNREADABLE',
        `The ${kind} \`${what}\` in ${where} may not be read${roleArn === undefined ? '' : ` as ${roleArn}`}: ${reason}`,
        {
          hint: `Allow \`glue:${operation}\` on the catalog, the database and the table to whom \`aws sts get-caller-identity\` names, in Lake Formation too where it governs them.`,
          cause: error,
        },
      )
    case 'ThrottlingException':
    case 'TooManyRequestsException':
    case 'Throttling':
      return new FeatureStoreError(
        'FS_STORE_UNAVAILABLE',
        `${where.replace('the', 'The')} refuses more requests (${operation} of \`${what}\`, tried several times): ${reason}`,
        {hint: 'Run it again later, or ask AWS for more requests per second to Glue.', cause: error},
      )
    default:
      return new FeatureStoreError(
        'FS_STORE_UNAVAILABLE',
        `${where.replace('the', 'The')} can't be asked for \`${what}\` (${operation}): ${error.name}: ${reason}`,
        {hint: 'Check the network, AWS_REGION and, where it is set, AWS_ENDPOINT_URL.', cause: error},
      )
  }
}
