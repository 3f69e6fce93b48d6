import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client, createPerson, type Person, type Reply, signIn } from '../helpers/client.ts'
import { clearedCookies, csrfPair } from '../helpers/credentials.ts'
import { closingScope, createDatabase, openAt } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { proxyTo } from '../helpers/tcp-proxy.ts'
import { until } from '../helpers/until.ts'

/**
 * The database is away, in three ways. Whoever asks then is told to come again, and never that nobody is signed in: an
 * application that believed it would sign its people out.
 */

/** Limits of the database as small as they can be; all of them together stay far below `ANSWER_MS`. */
const LIMITS = { connectTimeoutMs: 2000, acquireTimeoutMs: 2000, statementTimeoutMs: 2000, lockTimeoutMs: 1000 }
const ANSWER_MS = 60_000

interface Known {
  token: string
  cookie: string
  csrfToken: string
  logoutToken: string
  sessionId: string
  identityId: string
  person: Person
  flow: string
}

interface Call {
  method: string
  path(k: Known): string
  headers?(k: Known): Record<string, string>
  json?(k: Known): unknown
  admin?: true
}

const cookie = (k: Known) => ({ cookie: k.cookie, 'x-csrf-token': k.csrfToken })
const header = (k: Known) => ({ 'x-session-token': k.token })
const ID = '11111111-2222-4333-8444-555555555555'

const CALLS: Record<string, Call> = {
  'whoami, cookie': { method: 'GET', path: () => '/sessions/whoami', headers: cookie },
  'whoami, header': { method: 'GET', path: () => '/sessions/whoami', headers: header },
  'whoami, Bearer': {
    method: 'GET',
    path: () => '/sessions/whoami',
    headers: (k) => ({ authorization: `Bearer ${k.token}` }),
  },
  'whoami, unknown token': {
    method: 'GET',
    path: () => '/sessions/whoami',
    headers: () => ({ 'x-session-token': 'x' }),
  },
  'own sessions': { method: 'GET', path: () => '/sessions', headers: cookie },
  'own other sessions end': { method: 'DELETE', path: () => '/sessions', headers: header },
  'one own other session ends': { method: 'DELETE', path: () => `/sessions/${ID}`, headers: header },
  'logout begins': { method: 'GET', path: () => '/self-service/logout/browser', headers: cookie },
  'logout ends': { method: 'GET', path: (k) => `/self-service/logout?token=${k.logoutToken}`, headers: cookie },
  'logout of an app': {
    method: 'DELETE',
    path: () => '/self-service/logout/api',
    json: (k) => ({ session_token: k.token }),
  },
  'logout of an app, unknown token': {
    method: 'DELETE',
    path: () => '/self-service/logout/api',
    json: () => ({ session_token: 'ory_st_unknown' }),
  },
  'logout by POST': {
    method: 'POST',
    path: () => '/self-service/logout',
    headers: cookie,
    json: (k) => ({ csrf_token: k.csrfToken }),
  },
  'logout by POST, everywhere': {
    method: 'POST',
    path: () => '/self-service/logout',
    headers: header,
    json: () => ({ scope: 'all' }),
  },
  'logout page': { method: 'GET', path: () => '/logout', headers: cookie },
  'account page': { method: 'GET', path: () => '/ui/welcome', headers: cookie },
  'login page': { method: 'GET', path: (k) => `/ui/login?flow=${k.flow}`, headers: cookie },
  'login begins': { method: 'GET', path: () => '/self-service/login/browser' },
  'login begins, signed in': { method: 'GET', path: () => '/self-service/login/browser', headers: cookie },
  'login of an app begins': { method: 'GET', path: () => '/self-service/login/api' },
  'login form is read': { method: 'GET', path: (k) => `/self-service/login/flows?id=${k.flow}`, headers: cookie },
  'login is submitted': {
    method: 'POST',
    path: (k) => `/self-service/login?flow=${k.flow}`,
    json: (k) => ({ method: 'password', identifier: k.person.email, password: k.person.password }),
  },
  'registration begins': { method: 'GET', path: () => '/self-service/registration/browser' },
  'registration of an app begins': { method: 'GET', path: () => '/self-service/registration/api' },
  'registration is submitted': {
    method: 'POST',
    path: () => `/self-service/registration?flow=${ID}`,
    json: () => ({ method: 'password', traits: { email: 'new@example.com' }, password: 'a-quiet-Harbour-93' }),
  },
  'settings begin': { method: 'GET', path: () => '/self-service/settings/browser', headers: cookie },
  'settings are submitted': {
    method: 'POST',
    path: () => `/self-service/settings?flow=${ID}`,
    headers: header,
    json: () => ({ method: 'password', password: 'a-quiet-Harbour-94' }),
  },
  'registration form is read': { method: 'GET', path: () => `/self-service/registration/flows?id=${ID}` },
  'settings of an app begin': { method: 'GET', path: () => '/self-service/settings/api', headers: header },
  'settings form is read': { method: 'GET', path: () => `/self-service/settings/flows?id=${ID}`, headers: cookie },
  'own events': { method: 'GET', path: () => '/sessions/events', headers: header },
  'admin: events': { method: 'GET', path: () => '/admin/events', admin: true },
  'admin: webhooks': { method: 'GET', path: () => '/admin/events/webhooks', admin: true },
  'admin: an identity by its external id': {
    method: 'GET',
    path: () => '/admin/identities/by/external/x',
    admin: true,
  },
  'an error is read': { method: 'GET', path: () => `/self-service/errors?id=${ID}` },
  'admin: sessions': { method: 'GET', path: () => '/admin/sessions', admin: true },
  'admin: a session': { method: 'GET', path: (k) => `/admin/sessions/${k.sessionId}`, admin: true },
  'admin: a session ends': { method: 'DELETE', path: (k) => `/admin/sessions/${k.sessionId}`, admin: true },
  'admin: a session is extended': {
    method: 'PATCH',
    path: (k) => `/admin/sessions/${k.sessionId}/extend`,
    admin: true,
  },
  'admin: sessions of an identity': {
    method: 'GET',
    path: (k) => `/admin/identities/${k.identityId}/sessions`,
    admin: true,
  },
  'admin: all sessions of an identity end': {
    method: 'DELETE',
    path: (k) => `/admin/identities/${k.identityId}/sessions`,
    admin: true,
  },
  'admin: identities': { method: 'GET', path: () => '/admin/identities', admin: true },
  'admin: an identity': { method: 'GET', path: (k) => `/admin/identities/${k.identityId}`, admin: true },
  'admin: an identity is deleted': { method: 'DELETE', path: (k) => `/admin/identities/${k.identityId}`, admin: true },
  'admin: an identity is made': {
    method: 'POST',
    path: () => '/admin/identities',
    json: () => ({ schema_id: 'default', traits: { email: 'made@example.com' } }),
    admin: true,
  },
}

/** Only these differ between silence and the other ways, and silence takes its time. */
const WHILE_SILENT = [
  'whoami, cookie',
  'logout ends',
  'logout of an app',
  'logout by POST',
  'login begins',
  'admin: sessions',
]

describe('the database is away', () => {
  const scope = closingScope()
  let server: TestServer
  let proxy: Awaited<ReturnType<typeof proxyTo>>
  let known: Known
  before(async () => {
    proxy = await proxyTo(scope, await createDatabase(scope, { migrated: true }))
    const db = await openAt(scope, proxy.url, LIMITS)
    server = await testServer(scope, { db, config: { lethe: { ui: { enabled: true } } } })
    const person = await createPerson(server)
    const client = new Client(server)
    await signIn(client, person)
    const pair = csrfPair(server)
    const { body: begun } = await client.get('/self-service/logout/browser')
    const { body: whoami } = await client.get('/sessions/whoami')
    const { body: flow } = await new Client(server).get('/self-service/login/api')
    const identity = (await server.deps.identities.findByPasswordIdentifier(person.email))!.identity
    known = {
      token: (await signedIn(server, identity)).token,
      cookie: `ory_kratos_session=${client.jar.get('ory_kratos_session')}; ${pair.cookie}`,
      csrfToken: pair.token(),
      logoutToken: begun.logout_token,
      sessionId: whoami.id,
      identityId: person.identityId,
      person,
      flow: flow.id,
    }
  })
  after(() => scope.close())

  function call({ method, path, headers, json, admin }: Call, accept: string): Promise<Reply> {
    const target = (admin ? server.adminUrl : server.publicUrl) + path(known)
    const all = { accept, ...headers?.(known) }
    return new Client(server).send(method, target, json ? { headers: all, json: json(known) } : { headers: all })
  }

  async function holds(name: string, accept: string) {
    const started = performance.now()
    const reply = await call(CALLS[name]!, accept)
    const where = `${name} (${accept}): ${reply.status} ${reply.headers.get('location')} ${reply.text.slice(0, 200)}`
    assert.equal(reply.status, 503, where)
    assert.ok(Number(reply.headers.get('retry-after')) > 0, where)
    assert.equal(reply.headers.get('location'), null, where)
    assert.deepEqual(clearedCookies(reply.setCookie), [], where)
    assert.doesNotMatch(reply.text, /ECONN|127\.0\.0\.1:\d+\/lethe|postgres|SQLSTATE|sessions\b.*exist/i, where)
    if (accept === 'application/json') assert.equal(reply.body.error.code, 503, where)
    assert.ok(performance.now() - started < ANSWER_MS, `${where} after ${performance.now() - started} ms`)
    return reply
  }

  async function recovers() {
    await until(async () => {
      const { status } = await call(CALLS['whoami, cookie']!, 'application/json')
      if (status !== 200) assert.equal(status, 503)
      return status === 200
    }, 'the database')
    assert.equal((await call(CALLS['whoami, header']!, 'application/json')).status, 200)
  }

  for (const accept of ['application/json', 'text/html']) {
    test(`connections are cut (${accept}): every lookup says come again`, async () => {
      proxy.cut()
      await Promise.all(Object.keys(CALLS).map((name) => holds(name, accept)))
      proxy.restore()
      await recovers()
    })
  }

  test('a browser gets a page that says so', async () => {
    proxy.cut()
    for (const name of ['logout ends', 'logout page', 'account page', 'login begins']) {
      const reply = await holds(name, 'text/html')
      assert.match(reply.headers.get('content-type') ?? '', /^text\/html/, name)
      assert.match(reply.text, /You stay signed in/, name)
    }
    proxy.restore()
    await recovers()
  })

  test('it falls silent: no request waits for longer than the limits', async () => {
    proxy.silence()
    await Promise.all(WHILE_SILENT.map((name) => holds(name, 'application/json')))
    await Promise.all(WHILE_SILENT.map((name) => holds(name, 'text/html')))
    proxy.restore()
    await recovers()
  })

  test('it answers later than the limit', async () => {
    proxy.delay(LIMITS.statementTimeoutMs + 1500)
    await Promise.all(WHILE_SILENT.map((name) => holds(name, 'application/json')))
    proxy.restore()
    await recovers()
  })

  test('it answers slowly, but in time: nothing fails', async () => {
    proxy.delay(150)
    for (const name of ['whoami, cookie', 'whoami, header', 'own sessions', 'admin: sessions'])
      assert.equal((await call(CALLS[name]!, 'application/json')).status, 200, name)
    proxy.restore()
  })

  test('afterwards everyone is still signed in', async () => {
    const [row] = await server.db.query<{ ends: number }>({
      name: '',
      text: `select count(*) as ends from lethe.events where type = 'session.ended'`,
    })
    assert.equal(row!.ends, 0)
  })
})
