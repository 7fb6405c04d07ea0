import {describe, expect, test} from 'vitest'
import {parseConnectionString} from '../../../src/online/redis/connection-string.js'

describe('a connection string of Redis', () => {
  test.each([
    ['localhost', {nodes: [{host: 'localhost', port: 6379}], ssl: false, db: 0}],
    [
      '10.0.0.1:7000, 10.0.0.2:7001,ssl=True,username=fs,password=a=b,db=3',
      {
        nodes: [
          {host: '10.0.0.1', port: 7000},
          {host: '10.0.0.2', port: 7001},
        ],
        ssl: true,
        username: 'fs',
        password: 'a=b',
        db: 3,
      },
    ],
    [
      'a:1,password=x, y:Secret9,z=1,db=2',
      {nodes: [{host: 'a', port: 1}], ssl: false, password: 'x, y:Secret9,z=1', db: 2},
    ],
    ['[::1]:6380,password=', {nodes: [{host: '::1', port: 6380}], ssl: false, db: 0}],
  ])('%s', (text, address) => expect(parseConnectionString(text)).toEqual(address))

  test.each([
    ['password=secret', /names no host/],
    ['a:70000,password=secret', /no port from 1 to 65535/],
    ['a:b:c,password=secret', /`a:b:c` is no host:port/],
    ['rediss://user:secret@h:6379/0', /it is a URL.*host:port/],
    ['user:secret@h:6379', /a login before a host/],
    ['user:secret,more@h:6379', /a login before a host/],
    ['a,ssl=yes,password=secret', /`ssl` is neither/],
    ['a,db=x,password=secret', /`db` is no number/],
    ['a,tls=true,password=secret', /unknown option `tls`/],
  ])('%s is refused, and no message tells the password', (text, message) => {
    const failure = (): unknown => parseConnectionString(text)
    expect(failure).toThrow(message)
    expect(failure).not.toThrow(/secret/)
  })
})
