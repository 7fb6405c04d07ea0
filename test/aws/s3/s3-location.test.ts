import {expect, test} from 'vitest'
import {formatS3Location, isS3Location, parseS3Location} from '../../../src/aws/s3/s3-location.js'

test.each([
  ['s3://bucket/registry.json', {bucket: 'bucket', key: 'registry.json'}],
  ['S3://my.bucket-1/a b/%2F*.parquet', {bucket: 'my.bucket-1', key: 'a b/%2F*.parquet'}],
  ['s3://bucket', {bucket: 'bucket', key: ''}],
  ['s3://bucket/', {bucket: 'bucket', key: ''}],
  ['s3://b/x', undefined],
  ['s3:///key', undefined],
  ['data/s3://bucket/key', undefined],
  ['s3a://bucket/key', undefined],
])('%s', (text, location) => {
  expect(parseS3Location(text)).toEqual(location)
  if (location !== undefined && location.key !== '' && text.startsWith('s3'))
    expect(formatS3Location(location)).toBe(text)
  expect(isS3Location(text)).toBe(/^s3:\/\//i.test(text))
})
