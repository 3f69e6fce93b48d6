import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { describe, test } from 'node:test'
import { StoreUnavailable } from '../../src/kernel/db/client.ts'
import { postgres } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

/** Words that stand for what people send, each naming its place: whatever of them is in the log has come from a request. */
const PLACES = ['path', 'query', 'header', 'cookie', 'name', 'value', 'body'] as const
const marker = (place: (typeof PLACES)[number]) => `hunter2${place}`

const HEADERS = [
  ...[
    'accept',
    'accept-language',
    'authorization',
    'content-type',
    'if-none-match',
    'last-event-id',
    'origin',
    'range',
  ],
  ...[
    'referer',
    'user-agent',
    'x-session-token',
    'x-csrf-token',
    'x-forwarded-for',
    'x-forwarded-host',
    'true-client-ip',
  ],
  ...['cf-connecting-ip', 'cf-ipcity', 'x-real-ip', 'sec-fetch-site', 'x-something', 'expect', 'upgrade'],
]
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE']
const PATHS = [
  ...[
    '/%ZZ',
    '/',
    '//x',
    '/self-service/logout%ZZ',
    '/self-service/logout',
    '/self-service/logout/browser',
    '/ui/login',
  ],
  ...['/self-service/logout/api', '/self-service/login', '/self-service/login/browser', '/self-service/registration'],
  ...['/self-service/settings', '/self-service/login/flows', '/self-service/errors', '/sessions', '/sessions/whoami'],
  ...['/sessions/revocations', '/sessions/events', '/schemas', '/schemas/', '/admin/identities', '/admin/identities/'],
  ...['/admin/sessions', '/admin/sessions/', '/admin/events', '/admin/events/stream', '/admin/events/webhooks'],
  ...[
    '/admin/identities/0f5f8a5e-0000-4000-8000-000000000000/credentials/',
    '/admin/events/webhooks/',
    '/metrics/prometheus',
  ],
]
const QUERY_NAMES = [
  ...[
    'flow',
    'id',
    'token',
    'return_to',
    'aal',
    'refresh',
    'organization',
    'via',
    'page_token',
    'page_size',
    'since',
    'wait',
  ],
  ...[
    'credentials_identifier',
    'include_credential',
    'expand',
    'active',
    'ids',
    'kind',
    'tokenize_as',
    'identity_schema',
  ],
]
const BODIES: [type: string, body: string][] = [
  ['application/json', `{"${marker('name')}": ${marker('body')}`],
  ['application/json', JSON.stringify(members(marker('value')))],
  ['application/json', JSON.stringify([{ op: marker('value'), path: `/${marker('name')}`, value: marker('value') }])],
  ['application/json', JSON.stringify({ ...members({ [marker('name')]: marker('value') }), [marker('name')]: 1 })],
  ['application/x-www-form-urlencoded', new URLSearchParams(members(marker('value')) as never).toString()],
  ['multipart/form-data; boundary=x', `--x\r\nContent-Disposition: form-data; name="${marker('name')}`],
  [`text/${marker('header')}`, marker('body')],
]

function members(value: unknown): Record<string, unknown> {
  const names = ['method', 'identifier', 'password', 'csrf_token', 'session_token', 'session_ids', 'scope', 'traits']
  const admin = ['schema_id', 'state', 'credentials', 'identities', 'url', 'id', 'secret', 'events', 'headers', 'from']
  return Object.fromEntries([...names, ...admin, marker('name')].map((name) => [name, value]))
}

/** Sends bytes as they are, which no client would, and waits for the end of the connection. */
function raw(url: string, bytes: string): Promise<void> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes, 'latin1'))
    socket
      .on('error', () => {})
      // Enough: a stream would never end.
      .on('data', () => socket.destroy())
      .on('close', () => resolve())
  })
}

function request(method: string, target: string, headers: string[], body = ''): string {
  const head = [`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers]
  return `${[...head, `Content-Length: ${Buffer.byteLength(body)}`, '', ''].join('\r\n')}${body}`
}

const SEARCH = `?${QUERY_NAMES.map((name) => `${name}=${marker('query')}`).join('&')}`
const COOKIE = `Cookie: ory_kratos_session=${marker('cookie')}; csrf_token_x=${marker('cookie')}; ${marker('cookie')}="`

/** Every error that a stranger can cause, on one port. */
async function everything(url: string): Promise<void> {
  const sent: string[] = []
  PATHS.forEach((path, n) => {
    METHODS.forEach((method, m) => {
      const accept = `Accept: ${(n + m) % 2 ? 'application/json' : 'text/html'}`
      sent.push(request(method, `${path}${SEARCH}`, [accept, COOKIE]))
      sent.push(request(method, `${path.replace(/\/$/, '')}/${marker('path')}${m % 2 ? '%ZZ' : ''}`, [accept]))
    })
    BODIES.forEach(([type, body], b) => {
      for (const method of ['POST', b % 2 ? 'PUT' : 'PATCH'])
        sent.push(request(method, path, [`Content-Type: ${type}`], body))
    })
    if (n % 3 === 0) for (const name of QUERY_NAMES) sent.push(request('GET', `${path}?${name}=${marker('query')}`, []))
  })
  for (const name of HEADERS)
    for (const path of ['/sessions/whoami', '/self-service/login/browser', '/admin/identities', '/admin/events/stream'])
      sent.push(
        request('POST', path, [`${name}: ${marker('header')}`], '{}'),
        request('GET', path, [`${name}: ${marker('header')}`]),
      )
  const large = 'x'.repeat(70_000)
  sent.push(
    `${marker('path')}\r\n\r\n`,
    `GET /${marker('path')} HTTP/9\r\n\r\n`,
    request('GET', `/${marker('path')}${large}`, []),
    request('GET', '/', [`X-Large: ${marker('header')}${large}`]),
    request('GET', '/', [`X-Bad: ${marker('header')}\0`]),
    request('POST', '/self-service/login', [], `${marker('body')}${large.repeat(5)}`),
    `POST /self-service/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n${marker('body')}`,
    `POST /admin/identities HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${marker('body')}\r\n`,
  )
  for (let at = 0; at < sent.length; at += 16) await Promise.all(sent.slice(at, at + 16).map((text) => raw(url, text)))
}

/** Where a word of a request stands in what others read. */
async function found(server: TestServer): Promise<string[]> {
  const metrics = await (await fetch(`${server.adminUrl}/metrics/prometheus`)).text()
  return `${server.logs()}\n${metrics}`.split('\n').filter((line) => /hunter2/i.test(line))
}

describe('what clients send stays out of the log and the metrics', () => {
  test('whatever is wrong with it, on both ports, with the store and without', async (t) => {
    let away: (() => Error) | undefined
    const before = () => {
      if (away) throw away()
    }
    const db = withFaults(await postgres.open(t), { before })
    const config = { lethe: { ui: { enabled: true }, http: { request_timeout: '3s' } } }
    const server = await testServer(t, { db, config, logLevel: 'trace' })
    for (const url of [server.publicUrl, server.adminUrl]) await everything(url)
    away = () => new StoreUnavailable('away')
    for (const url of [server.publicUrl, server.adminUrl]) await everything(url)
    away = undefined
    assert.ok(server.logs().split('\n').length > 3000, 'too little was sent')
    assert.deepEqual((await found(server)).slice(0, 5), [])
  })

  test('when a library or a fault of ours quotes it', async (t) => {
    const quoting = [
      () => new TypeError(`Failed to parse URL from ${marker('query')}`),
      () => Object.assign(new TypeError('Invalid URL'), { input: marker('query'), detail: marker('body') }),
      () => new SyntaxError(`Unexpected token\n    at ${marker('body')} (x.js:1:1)`),
      () => new Error('outer', { cause: new Error(marker('body'), { cause: new Error(marker('value')) }) }),
      () => Object.assign(new Error(marker('body')), { statusCode: 400 }),
    ]
    let thrown: () => Error = () => new Error()
    let broken = false
    const db = withFaults(await postgres.open(t), {
      before() {
        if (broken) throw thrown()
      },
    })
    const server = await testServer(t, { db, logLevel: 'trace' })
    broken = true
    for (thrown of quoting)
      for (const accept of ['application/json', 'text/html']) {
        const id = randomBytes(4).toString('hex')
        await fetch(`${server.publicUrl}/self-service/login/browser?x=${id}`, { headers: { accept } })
        await fetch(`${server.adminUrl}/admin/identities`, { headers: { accept } })
      }
    broken = false
    assert.match(server.logs(), /"err":\{"type":"TypeError","stack":" +at .*faulty-db/)
    assert.deepEqual((await found(server)).slice(0, 5), [])
  })

  test('when the answer comes after the deadline', async (t) => {
    const slow = withFaults(await postgres.open(t), {
      before: () => new Promise((resolve) => setTimeout(resolve, 1500)),
    })
    const server = await testServer(t, { db: slow, config: { lethe: { http: { response_timeout: '500ms' } } } })
    const answer = await fetch(
      `${server.publicUrl}/self-service/login/api?refresh=${marker('query')}&token=${marker('query')}`,
    )
    assert.equal(answer.status, 503)
    while (!/Reply was already sent|FST_ERR_REP_ALREADY_SENT/.test(server.logs()))
      await new Promise((resolve) => setTimeout(resolve, 50))
    assert.deepEqual(await found(server), [])
  })

  test('a refusal says where in the code it was made', async (t) => {
    const server = await testServer(t)
    await fetch(`${server.adminUrl}/admin/sessions?active=${marker('query')}`)
    assert.match(server.logs(), /"error":\{"status":400,"at":"sessions\/lists\/routes-admin\.ts:\d+"\}/)
  })
})
