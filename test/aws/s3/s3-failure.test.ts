import {expect, test} from 'vitest'
import {s3Failure} from '../../../src/aws/s3/s3-failure.js'

const sdkError = (name: string, message: string, httpStatusCode: number): Error =>
  Object.assign(new Error(message), {name, $metadata: {httpStatusCode}})

test.each([
  [
    sdkError('NoSuchBucket', 'The specified bucket does not exist', 404),
    'no-bucket',
    'there is no bucket `b`',
  ],
  [sdkError('NoSuchKey', 'The specified key does not exist.', 404), 'no-key', 'there is no such object'],
  [sdkError('NotFound', 'UnknownError', 404), 'no-key', 'there is no such object'],
  [sdkError('AccessDenied', 'Access Denied', 403), 'denied', 'access is denied to arn:me'],
  [
    sdkError('AccessDenied', 'User: arn:x is not authorized to perform: s3:GetObject', 403),
    'denied',
    'access is denied to arn:me (User: arn:x is not authorized to perform: s3:GetObject)',
  ],
  [sdkError('403', 'UnknownError', 403), 'denied', 'access is denied to arn:me'],
  [
    sdkError('ExpiredToken', 'The token has expired.', 400),
    'denied',
    'S3 refuses the credentials: The token has expired',
  ],
  [sdkError('PreconditionFailed', 'no', 412), 'precondition', 'it has changed in the meantime'],
  [sdkError('ConditionalRequestConflict', 'no', 409), 'conflict', 'somebody else writes it at this moment'],
  [sdkError('SlowDown', 'Please reduce your request rate.', 503), 'other', 'Please reduce your request rate'],
])('%s', (error, kind, reason) => {
  expect(s3Failure(error, 'b', 'arn:me')).toMatchObject({kind, reason})
})
