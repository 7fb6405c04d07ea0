/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {import('node:http').OutgoingHttpHeaders} headers
 * @property {Buffer} body
 */

/**
 * How a service says an error on the wire.
 *
 * @param {string} operation As `operationName` says it.
 * @param {import('node:http').IncomingHttpHeaders} headers Of the request: they tell the protocol.
 * @param {{type?: string, status?: number, message?: string, members?: Record<string, unknown>}} error
 * @returns {Answer}
 */
export function errorAnswer(
  operation,
  headers,
  {type = 'InternalServerException', status, message = type, members},
) {
  if (headers['x-amz-target'] !== undefined)
    return jsonAnswer(status ?? 400, {__type: type, Message: message, message, ...members})
  const said = `<Code>${escaped(type)}</Code><Message>${escaped(message)}</Message>`
  if (operation.startsWith('S3.'))
    return xmlAnswer(status ?? 503, `<Error>${said}<RequestId>stand-in</RequestId></Error>`)
  return xmlAnswer(
    status ?? 400,
    `<ErrorResponse><Error><Type>Sender</Type>${said}</Error><RequestId>stand-in</RequestId></ErrorResponse>`,
  )
}

/** @returns {Answer} */
export function jsonAnswer(status, members) {
  return {
    status,
    headers: {'content-type': 'application/x-amz-json-1.1'},
    body: Buffer.from(JSON.stringify(members)),
  }
}

function xmlAnswer(status, body) {
  return {
    status,
    headers: {'content-type': 'application/xml'},
    body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`),
  }
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
