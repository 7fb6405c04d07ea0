import type {Schema} from './check-schema.js'

/** Where the registry is: short as text; as a block where it must be said as whom it is reached. */
export const registrySchema: Schema = {
  description: 'Where applied definitions and the state of loads are kept.',
  default: 'data/registry.json',
  errorMessage: 'a path, a URL, or a block with `type: s3`',
  oneOf: [
    {
      type: 'string',
      pattern: '\\S',
      errorMessage: 'a path',
      description:
        'A path in the repo, postgres://user@host:5432/database, or s3://bucket/prefix/registry.json.',
    },
    {
      type: 'object',
      description: 'An object of S3.',
      additionalProperties: false,
      required: ['type', 'path'],
      properties: {
        type: {const: 's3', description: 'Type of the registry.'},
        path: {
          type: 'string',
          pattern: '^[sS]3://[^/]+/.*[^/]$',
          errorMessage: 's3://bucket/prefix/registry.json',
          description: 'The object, as s3://bucket/prefix/registry.json.',
        },
        region: {
          type: 'string',
          pattern: '\\S',
          errorMessage: 'a region of AWS, like eu-west-1',
          description: 'Region of AWS; that of the environment by default.',
        },
        role_arn: {
          type: 'string',
          pattern: '\\S',
          errorMessage: 'the ARN of a role',
          description: 'Role to assume, perhaps of another account, with the credentials that are found.',
        },
        external_id: {
          type: 'string',
          pattern: '\\S',
          errorMessage: 'text',
          description: "What that role's account asks of strangers.",
        },
      },
    },
  ],
}
