import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {X509Certificate} from 'node:crypto'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {rootCertificates} from 'node:tls'
import {expect, test} from 'vitest'
import {readKeyspacesSettings} from '../../../src/online/cassandra/keyspaces/keyspaces-settings.js'

const read = (settings: object, directory = '/') =>
  readKeyspacesSettings({region: 'eu-west-1', keyspace: 'features', ...settings}, directory)

test('a region and a keyspace are enough', async () => {
  expect(await read({})).toEqual({
    contactPoints: ['cassandra.eu-west-1.amazonaws.com'],
    port: 9142,
    localDataCenter: 'eu-west-1',
    region: 'eu-west-1',
    keyspace: 'features',
    role: {},
    consistency: {read: 'LOCAL_QUORUM', write: 'LOCAL_QUORUM'},
    ssl: {rejectUnauthorized: true, servername: 'cassandra.eu-west-1.amazonaws.com'},
  })
  expect((await read({region: 'cn-north-1'})).contactPoints).toEqual([
    'cassandra.cn-north-1.amazonaws.com.cn',
  ])
  expect((await read({region: 'us-gov-east-1'})).contactPoints).toEqual([
    'cassandra.us-gov-east-1.amazonaws.com',
  ])
})

test.each([
  ['vpce-1.cassandra.eu-west-1.vpce.amazonaws.com', 'vpce-1.cassandra.eu-west-1.vpce.amazonaws.com', 9142],
  ['localhost:19142', 'localhost', 19142],
  ['127.0.0.1:19142', '127.0.0.1', 19142],
  ['[::1]:19142', '::1', 19142],
])('the endpoint %s', async (endpoint, host, port) => {
  const {contactPoints, port: found, ssl, localDataCenter} = await read({endpoint})
  expect([contactPoints, found, localDataCenter]).toEqual([[host], port, 'eu-west-1'])
  // Certificates are checked all the same; an address can't be asked for by name.
  expect(ssl).toEqual({rejectUnauthorized: true, ...(/[a-z]/.test(host) ? {servername: host} : {})})
})

test('a role, certificates of its own, and cheaper reads', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fs-keyspaces-'))
  writeFileSync(join(folder, 'ca.pem'), 'PEM')
  const roleArn = 'arn:aws:iam::123456789012:role/path/features'
  const settings = await read(
    {roleArn, externalId: 'x', caFile: 'ca.pem', consistency: {read: 'LOCAL_ONE'}},
    folder,
  )
  expect(settings).toMatchObject({
    role: {roleArn, externalId: 'x'},
    ssl: {ca: Buffer.from('PEM')},
    consistency: {read: 'LOCAL_ONE', write: 'LOCAL_QUORUM'},
  })
  rmSync(folder, {recursive: true})
})

test.each([
  [{region: 'eu'}, '`eu`'],
  [{region: 'eu-west-1.evil.example/'}, 'no region'],
  [{keyspace: 'my-features'}, '`my-features`'],
  [{keyspace: 'x'.repeat(49)}, '48'],
  [{keyspace: 'system_schema'}, "Amazon's own"],
  [{endpoint: 'https://cassandra.eu-west-1.amazonaws.com'}, 'endpoint'],
  [{endpoint: 'localhost:99999'}, 'endpoint'],
  [{externalId: 'x'}, 'role_arn'],
  [{roleArn: 'arn:aws:iam::123456789012:user/me'}, 'user/me'],
  [{consistency: {write: 'ONE'}}, '`ONE`'],
  [{consistency: {read: 'QUORUM'}}, '`QUORUM`'],
  [{caFile: 'nowhere.pem'}, 'nowhere.pem'],
])('%j is refused', async (settings, part) => {
  await expect(read(settings)).rejects.toMatchObject({
    code: 'FS_CONFIG_INVALID',
    message: expect.stringContaining(part) as string,
    hint: expect.any(String) as string,
  })
})

// https://www.amazontrust.com/repository: why no certificates are shipped.
test('Node trusts the roots that sign the certificates of Amazon', () => {
  const names = rootCertificates.map((pem) => new X509Certificate(pem).subject)
  for (const root of [1, 2, 3, 4])
    expect(names).toContainEqual(expect.stringContaining(`CN=Amazon Root CA ${root}`))
  // Chains that end at the older Starfield Class 2 pass through this one, where Node stops.
  expect(names).toContainEqual(
    expect.stringContaining('CN=Starfield Services Root Certificate Authority - G2'),
  )
})
