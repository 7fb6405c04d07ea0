import {execFileSync} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'

/** A new authority and a certificate of it for localhost, as PEM files in a folder. */
export function makeCertificates(folder: string): {
  readonly ca: string
  readonly certificate: string
  readonly key: string
} {
  const path = (name: string): string => join(folder, name)
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, {stdio: 'ignore', cwd: folder})
  }
  const subject = (name: string): readonly string[] => [
    '-nodes',
    '-newkey',
    'rsa:2048',
    '-subj',
    `/CN=${name}`,
  ]
  openssl('req', '-x509', '-days', '2', ...subject('test-ca'), '-keyout', 'ca.key', '-out', 'ca.pem')
  openssl('req', ...subject('server'), '-keyout', 'server.key', '-out', 'server.csr')
  writeFileSync(path('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3')
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names']
  openssl('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.pem')
  return {ca: path('ca.pem'), certificate: path('server.pem'), key: path('server.key')}
}
