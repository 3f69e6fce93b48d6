import assert from 'node:assert/strict'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { Client, createPerson, isSignedIn, signInNative } from '../helpers/client.ts'
import { postgres, type Scope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const MB = 'x'.repeat(1 << 20)

/** Bodies that mean nothing, by name. */
const BODIES: Record<string, string | Buffer> = {
  'truncated JSON': '{"session_token": "ory_st_',
  'a number': '5',
  null: 'null',
  'a list': '[]',
  'wrong types':
    '{"session_token": {"a": 1}, "method": 7, "identifier": [], "traits": "x", "schema_id": 5, "scope": {}}',
  'a megabyte': JSON.stringify({ session_token: MB, identifier: MB, password: MB, method: 'password', schema_id: MB }),
  'a NUL':
    '{"session_token": "a\\u0000b", "method": "password\\u0000", "identifier": "a\\u0000", "password": "\\u0000"}',
  'a lone surrogate': '{"session_token": "\\ud800", "identifier": "\\ud800", "traits": {"email": "\\ud800@x.y"}}',
  'invalid UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'deep nesting': '['.repeat(100_000),
  'a prototype': '{"__proto__": {"a": 1}, "constructor": {"prototype": {}}}',
  nothing: '',
}

const TARGETS: [string, string][] = [
  ['DELETE', '/self-service/logout/api'],
  ['POST', '/self-service/logout'],
  ['POST', '/self-service/login?flow=11111111-2222-4333-8444-555555555555'],
  ['POST', '/self-service/login?flow=%00'],
  ['POST', '/self-service/registration?flow=11111111-2222-4333-8444-555555555555'],
  ['POST', '/admin:/admin/identities'],
  ['PUT', '/admin:/admin/identities/11111111-2222-4333-8444-555555555555'],
  ['PATCH', '/admin:/admin/identities/11111111-2222-4333-8444-555555555555'],
  ['PATCH', '/admin:/admin/identities'],
  ['DELETE', '/sessions'],
  ['DELETE', '/sessions/%00'],
]

const GETS = [
  '/self-service/logout?token=%00',
  '/self-service/logout?token=%ff%fe',
  '/self-service/logout/browser?return_to=%00http://x',
  '/self-service/logout/browser?return_to=http://[::1',
  '/self-service/login/browser?return_to=%ff',
  '/self-service/login/browser?aal=%00',
  '/self-service/login/browser?identity_schema=%00',
  '/self-service/login/browser?login_challenge=%00',
  '/self-service/login/flows?id=%00',
  '/self-service/errors?id=%00',
  '/sessions?page=99999999999999999999&per_page=-1',
  '/sessions/whoami?tokenize_as=%00',
  '/schemas/%00',
  '/schemas/%ff',
  '/%00',
  '/%',
  '/%zz',
  '/admin:/admin/sessions?page_token=%00&page_size=99999999999',
  '/admin:/admin/identities?page_token=%00&page_size=99999999999',
  '/admin:/admin/identities?credentials_identifier=%00',
  '/admin:/admin/identities/%00',
  '/admin:/admin/identities/by/external/%00',
  '/admin:/admin/sessions/%ff',
]

describe('bad input gets a clear 4xx, never a 5xx and never a hang', () => {
  let server: TestServer
  const endings: (() => Promise<void>)[] = []
  const scope: Scope = { after: (work) => void endings.push(work) }
  before(async () => {
    server = await testServer(scope, { backend: postgres })
  })
  after(async () => {
    for (const work of endings.reverse()) await work()
  })
  const urlOf = (target: string) =>
    target.startsWith('/admin:') ? server.adminUrl + target.slice('/admin:'.length) : server.publicUrl + target

  for (const [method, target] of TARGETS) {
    for (const [name, body] of Object.entries(BODIES)) {
      for (const type of [
        'application/json',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'text/plain',
      ]) {
        test(`${method} ${target}: ${name} as ${type}`, async () => {
          const reply = await new Client(server).send(method, urlOf(target), {
            body,
            headers: { 'content-type': type },
          })
          assert.ok(reply.status < 500, `${reply.status} ${reply.text}`)
        })
      }
    }
  }

  for (const target of GETS) {
    for (const accept of ['application/json', 'text/html']) {
      test(`GET ${target} (${accept})`, async () => {
        const reply = await new Client(server).get(urlOf(target), { accept })
        assert.ok(reply.status < 500, `${reply.status} ${reply.text}`)
      })
    }
  }

  for (const cookie of [
    'ory_kratos_session=',
    'ory_kratos_session',
    '=;=;;',
    `ory_kratos_session=${'A'.repeat(5000)}`,
    'ory_kratos_session="%00"',
    `${'a=b; '.repeat(2000)}`,
  ]) {
    test(`a garbage cookie does not stop a good token: ${cookie.slice(0, 40)}`, async () => {
      const { token } = await signInNative(server, await createPerson(server))
      assert.equal(await isSignedIn(new Client(server), { cookie, 'x-session-token': token }), true)
      assert.equal(await isSignedIn(new Client(server), { cookie }), false)
    })
  }

  const raw: Record<string, [string, RegExp]> = {
    'a URL of 64 kB': [
      `GET /self-service/logout?token=${'a'.repeat(65_536)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      /^HTTP\/1\.1 4/,
    ],
    'length and chunked at once': [
      'POST /self-service/login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400/,
    ],
    'no HTTP at all': ['hello\r\n\r\n', /^HTTP\/1\.1 400/],
    'a NUL in a header': ['GET / HTTP/1.1\r\nHost: x\r\nX-Session-Token: a\0b\r\n\r\n', /^HTTP\/1\.1 400/],
    'a NUL in the path': ['GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
    'high bytes in headers': [
      'GET /sessions/whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Session-Token: \xff\xfe\r\nUser-Agent: \xff\r\n\r\n',
      /^HTTP\/1\.1 401/,
    ],
  }
  for (const [name, [request, expected]] of Object.entries(raw)) {
    test(`${name} is refused and the connection closed`, async () => {
      assert.match(await exchange(server.publicUrl, Buffer.from(request, 'latin1')), expected)
    })
  }

  test('a body over the limit is refused', async () => {
    const reply = await new Client(server).send('POST', '/self-service/login', {
      body: MB.repeat(6),
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(reply.status, 400)
    assert.match(reply.body.error.reason, /too large/)
  })

  test('DELETE with a JSON content type and no body, as generated clients send it', async () => {
    const { token } = await signInNative(server, await createPerson(server))
    const reply = await new Client(server).send('DELETE', '/sessions', {
      headers: { 'x-session-token': token, 'content-type': 'application/json' },
    })
    assert.deepEqual([reply.status, reply.body], [200, { count: 0 }])
  })

  test('no answer of all these tells about the inside', async () => {
    const reply = await new Client(server).get('/sessions/%ff')
    assert.doesNotMatch(reply.text, /postgres|sqlstate|node_modules|\.ts:/i)
  })
})

function exchange(url: string, request: Buffer): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(request))
    let answer = ''
    socket.on('data', (part) => {
      answer += part
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
    socket.setTimeout(60_000, () => socket.destroy(new Error('no answer and no end')))
  })
}
