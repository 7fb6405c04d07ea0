/** Services whose target does not begin with their name. */
const services = {AWSGlue: 'Glue'}

/**
 * What a request asks of AWS: `Glue.GetTable`, `S3.PutObject`, `STS.AssumeRole`.
 *
 * @param {{method: string, url: string, headers: import('node:http').IncomingHttpHeaders, body?: Buffer}} request
 *   The body tells only for services that speak forms; those are read before they are asked for.
 * @returns {string}
 */
export function operationName({method, url, headers, body}) {
  const target = headers['x-amz-target']
  if (target !== undefined) {
    const [service, operation] = String(target).split('.')
    return `${services[service] ?? service}.${operation}`
  }
  if (isForm(headers)) {
    const service =
      /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? 'unknown'
    return `${service.toUpperCase()}.${new URLSearchParams(body?.toString() ?? '').get('Action') ?? 'Unknown'}`
  }
  return `S3.${s3Operation(method, new URL(url, 'http://s3'), headers)}`
}

/** Whether a service of the query protocol (STS, IAM) is spoken to, which S3 is not. */
export function isForm(headers) {
  return (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
}

/** In path style: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html */
function s3Operation(method, url, headers) {
  const [bucket, ...key] = url.pathname.slice(1).split('/')
  const has = (name) => url.searchParams.has(name)
  if (key.join('/') === '') {
    if (method === 'GET') {
      if (bucket === '') return 'ListBuckets'
      if (has('uploads')) return 'ListMultipartUploads'
      return url.searchParams.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects'
    }
    if (method === 'POST' && has('delete')) return 'DeleteObjects'
    return {PUT: 'CreateBucket', DELETE: 'DeleteBucket', HEAD: 'HeadBucket'}[method] ?? method
  }
  const isCopy = headers['x-amz-copy-source'] !== undefined
  switch (method) {
    case 'GET':
      return has('uploadId') ? 'ListParts' : 'GetObject'
    case 'HEAD':
      return 'HeadObject'
    case 'PUT':
      if (has('uploadId')) return isCopy ? 'UploadPartCopy' : 'UploadPart'
      return isCopy ? 'CopyObject' : 'PutObject'
    case 'POST':
      return has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload'
    case 'DELETE':
      return has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject'
    default:
      return method
  }
}
