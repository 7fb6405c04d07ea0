import {connect} from 'node:net'

/** What is said to a server, and how its answer begins. */
export const greetings = {
  aws: {
    said: Buffer.from('GET /_stand-in/health HTTP/1.1\r\nHost: stand-in\r\nConnection: close\r\n\r\n'),
    answer: Buffer.from('HTTP/1.1 200'),
  },
  redis: {said: Buffer.from('PING\r\n'), answer: Buffer.from('+PONG')},
  // SSLRequest, and no or yes: https://www.postgresql.org/docs/current/protocol-message-formats.html
  postgres: {said: Buffer.from('0000000804d2162f', 'hex'), answer: Buffer.from('N')},
  // OPTIONS of version 4 of the native protocol, and SUPPORTED:
  // https://cassandra.apache.org/doc/latest/cassandra/reference/native-protocol.html
  cassandra: {said: Buffer.from('040000000500000000', 'hex'), answer: Buffer.from('8400000006', 'hex')},
}

/**
 * Whether a server on a port of loopback answers as it should; `taken` where somebody else does, or nobody says a word.
 *
 * @param {number} port
 * @param {{said: Buffer, answer: Buffer}} greeting
 * @returns {Promise<'answers' | 'taken' | 'free'>}
 */
export function greet(port, {said, answer}) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let isConnected = false
    let heard = Buffer.alloc(0)
    socket.setTimeout(5000, () => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('connect', () => {
      isConnected = true
      socket.write(said)
    })
    socket.on('data', (bytes) => {
      heard = Buffer.concat([heard, bytes])
      if (heard.length >= answer.length) socket.destroy()
    })
    socket.on('close', () => {
      if (heard.subarray(0, answer.length).equals(answer)) resolve('answers')
      else resolve(isConnected ? 'taken' : 'free')
    })
  })
}
