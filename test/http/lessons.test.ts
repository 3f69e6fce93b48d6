import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { authenticate } from '../../src/methods/password/authenticate.ts'
import { Client, createPerson, isSignedIn, type Person, signIn, signInNative } from '../helpers/client.ts'
import { csrfPair, sessionCookie } from '../helpers/credentials.ts'
import { closingScope, postgres } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

/**
 * Faults that were seen in a running Kratos, and in others, one class after the other, with further members of each
 * class. Those that have a test of their own elsewhere are named with it.
 */
const ELSEWHERE: Record<string, readonly [file: string, words: RegExp][]> = {
  'one precedence': [['http/logout-credentials.test.ts', /Every combination of credentials/]],
  'away is not signed out': [
    ['fault/store-away.test.ts', /every lookup says come again/],
    ['fault/logout-steps.test.ts', /at any step of any way out/],
  ],
  'no revival': [
    ['fault/races.test.ts', /what is under way while a session ends does not bring it back/],
    ['property/no-revival.test.ts', /ended stays ended/],
  ],
  'fair pool': [['fault/races.test.ts', /everybody else is served/]],
  deadlines: [
    ['fault/races.test.ts', /readiness turns red/],
    ['fault/store-away.test.ts', /no request waits for longer than the limits/],
    ['http/protection.test.ts', /a request that takes too long/],
    ['contract/db-trouble.test.ts', /with all connections taken/],
  ],
  'redirects as a browser reads them': [['property/return-to.test.ts', /never leaves the allow list/]],
  'good credential beside a bad one': [
    ['http/bad-input.test.ts', /a garbage cookie does not stop a good token/],
    ['http/logout-credentials.test.ts', /several session cookies at once/],
  ],
  'input never reaches the database raw': [['http/bad-input.test.ts', /never a 5xx and never a hang/]],
  'no inside words outside': [
    ['fault/store-away.test.ts', /SQLSTATE/],
    ['fault/logout-steps.test.ts', /relation\|42P01/],
  ],
  'logs hold no keys': [['http/secrets.test.ts', /no log, metric, error/]],
  'NULLs in shared rows': [['adopted/rows.test.ts', /writes the rows that Kratos writes/]],
  framing: [['http/framing.test.ts', /one request, one answer/]],
  'half a TLS pair': [['unit/config/load.test.ts', /keys that need each other/]],
  'nonsense in a boolean variable': [['unit/config/env.test.ts', /nonsense is refused and names the variable/]],
  batches: [['property/batch.test.ts', /each caller gets what a call of its own would have given/]],
  'a broken connection ends no process': [['fault/kill.test.ts', /connections to the database, again and again/]],
}

const NOBODY_KNOWN = { address: '', network: '', shared: true, believed: false }

describe('classes that are held elsewhere', () => {
  for (const [name, places] of Object.entries(ELSEWHERE)) {
    test(name, () => {
      for (const [file, words] of places) {
        const url = new URL(`../${file}`, import.meta.url)
        assert.ok(existsSync(url), `${file} is gone: where is "${name}" held now?`)
        assert.match(readFileSync(url, 'utf8'), words, file)
      }
    })
  }
})

const COUNTS = sql(
  'test.lessons_counts',
  `select (select count(*) from sessions where active) as live, (select count(*) from sessions) as sessions,
     (select count(*) from lethe.events) as events, (select count(*) from identities) as identities,
     (select count(*) from selfservice_login_flows) + (select count(*) from selfservice_registration_flows)
       + (select count(*) from selfservice_settings_flows) as flows,
     (select string_agg(expires_at::text, ' ' order by id) from sessions) as expiry`,
)

/** One server for all that break nothing. */
describe('classes', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await testServer(scope, { backend: postgres, config: { lethe: { ui: { enabled: true } } } })
  })
  after(() => scope.close())

  async function browser(): Promise<{
    client: Client
    person: Person
    sessionId: string
    logoutUrl: string
    csrf: string
  }> {
    const client = new Client(server)
    const person = await createPerson(server)
    const { sessionId } = await signIn(client, person)
    const { body } = await client.get('/self-service/logout/browser')
    const flow = (await client.get('/self-service/login/browser?refresh=true')).body
    const csrf = flow.ui.nodes.find((n: any) => n.attributes.name === 'csrf_token').attributes.value
    return { client, person, sessionId, logoutUrl: body.logout_url, csrf }
  }

  test('refuse first: whatever is refused has changed nothing', async () => {
    const { client, person, sessionId, logoutUrl, csrf } = await browser()
    const evil = encodeURIComponent('https://evil.test/')
    const admin = `${server.adminUrl}/admin`
    const before = await server.db.query(COUNTS)
    const post = (json: object) => client.send('POST', '/self-service/logout', { json })
    const calls: Record<string, () => Promise<{ status: number }>> = {
      'logout URL, return_to': () => client.get(`${logoutUrl}&return_to=${evil}`),
      'logout URL, no token': () => client.get('/self-service/logout'),
      'logout begins, return_to': () => client.get(`/self-service/logout/browser?return_to=${evil}`),
      'POST, return_to': () => post({ csrf_token: csrf, return_to: 'https://evil.test/' }),
      'POST, all and return_to': () => post({ csrf_token: csrf, scope: 'all', return_to: 'javascript:alert(1)' }),
      'POST, no anti-CSRF token': () => post({ scope: 'all' }),
      'POST, one id is none': () => post({ csrf_token: csrf, session_ids: [sessionId, 'x'] }),
      'own session by the list': () =>
        client.send('DELETE', `/sessions/${sessionId}`, { headers: { 'x-csrf-token': csrf } }),
      'login begins, return_to': () => new Client(server).get(`/self-service/login/browser?return_to=${evil}`),
      'login of an app begins, return_to': () => new Client(server).get(`/self-service/login/api?return_to=${evil}`),
      'login begins, aal': () => new Client(server).get('/self-service/login/browser?aal=aal9'),
      'login begins, login_challenge': () => new Client(server).get('/self-service/login/browser?login_challenge=%07'),
      'registration begins, return_to': () =>
        new Client(server).get(`/self-service/registration/browser?return_to=${evil}`),
      'settings begin, return_to': () => client.get(`/self-service/settings/browser?return_to=${evil}`),
      'admin, traits that break the schema': () =>
        client.send('PUT', `${admin}/identities/${person.identityId}`, {
          json: { schema_id: 'default', state: 'inactive', traits: { email: 'none' } },
        }),
      'admin, a patch that fails at its end': () =>
        client.send('PATCH', `${admin}/identities/${person.identityId}`, {
          json: [
            { op: 'replace', path: '/state', value: 'inactive' },
            { op: 'test', path: '/state', value: 'active' },
          ],
        }),
    }
    for (const [name, call] of Object.entries(calls)) {
      const { status } = await call()
      assert.ok(status >= 400 && status < 500, `${name}: ${status}`)
      assert.deepEqual(await server.db.query(COUNTS), before, name)
    }
    assert.equal(await isSignedIn(client), true)
  })

  test('inert methods: only the method that is meant ends, begins or prolongs anything', async () => {
    const { client, sessionId, logoutUrl } = await browser()
    const other = await signInNative(server, await createPerson(server))
    const before = (await server.db.query<{ flows: number }>(COUNTS))[0]!
    const logout = logoutUrl.replace(server.publicUrl, '')
    const admin = (path: string) => `${server.adminUrl}/admin${path}`
    const ahead = [{ 'sec-purpose': 'prefetch;prerender' }, { purpose: 'prefetch' }, { 'x-moz': 'prefetch' }]
    for (const accept of ['text/html', 'application/json']) {
      for (const path of [logout, '/self-service/logout/api', '/sessions', `/sessions/${sessionId}`, '/logout'])
        for (const method of ['HEAD', 'OPTIONS', 'PUT', 'PATCH'])
          await client.send(method, path, { headers: { accept, 'x-session-token': other.token } })
      for (const headers of ahead)
        for (const path of [logout, '/logout', '/self-service/logout/browser', '/ui/welcome'])
          await client.get(path, { accept, ...headers } as Record<string, string>)
      for (const path of [`/sessions/${sessionId}`, `/sessions/${sessionId}/extend`, '/sessions'])
        for (const method of ['HEAD', 'OPTIONS', 'GET', 'POST', 'PUT'])
          await client.send(method, admin(path), { headers: { accept } })
      await client.send('HEAD', admin('/identities'), {})
    }
    const after = (await server.db.query<{ flows: number }>(COUNTS))[0]!
    assert.deepEqual({ ...after, flows: before.flows }, before)
    assert.equal(await isSignedIn(client), true)
    assert.equal(await isSignedIn(new Client(server), { 'x-session-token': other.token }), true)
  })

  test('redirects as a browser reads them: at every endpoint that takes a return_to', async () => {
    const { client, csrf } = await browser()
    for (const url of [
      ...['http:\\\\evil.test', 'http:/\\evil.test', '//evil.test', '/\\evil.test', '\\\\evil.test', 'http:/evil.test'],
      ...[
        'http://127.0.0.1:4455@evil.test',
        'http://127.0.0.1:4455\\@evil.test:80/',
        'http:evil.test',
        '\thttp://evil.test',
      ],
      ...[
        'http://evil.test#http://127.0.0.1:4455',
        'http://evil.test\\.127.0.0.1:4455/',
        'javascript:alert(1)//http://127.0.0.1:4455',
      ],
    ]) {
      const query = `return_to=${encodeURIComponent(url)}`
      for (const twice of [
        query,
        `return_to=http://127.0.0.1:4455/&${query}`,
        `${query}&return_to=http://127.0.0.1:4455/`,
      ]) {
        for (const path of [
          ...['/self-service/logout/browser', '/self-service/logout', '/self-service/login/browser'],
          ...[
            '/self-service/registration/browser',
            '/self-service/settings/browser',
            '/logout',
            '/ui/signed-out',
            '/ui/login',
            '/ui/welcome',
          ],
        ]) {
          const reply = await client.get(`${path}?token=x&${twice}`, { accept: 'text/html' })
          const to = reply.headers.get('location')
          assert.ok(
            to === null || new URL(to, server.publicUrl).hostname === '127.0.0.1',
            `${path}?${twice} leads to ${to}`,
          )
          const links = [...reply.text.matchAll(/(?:href|action)="(?!data:image\/svg)([^"]*)"/g)]
          for (const link of links.map(([, escaped]) => escaped!.replaceAll('&amp;', '&')))
            assert.equal(new URL(link, `${server.publicUrl}/ui/x`).hostname, '127.0.0.1', `${path} links to ${link}`)
        }
      }
      const posted = await client.send('POST', '/self-service/logout', {
        form: { csrf_token: csrf, scope: 'others', return_to: url },
        headers: { accept: 'text/html' },
      })
      const to = posted.headers.get('location')
      assert.equal(new URL(to ?? server.publicUrl).hostname, '127.0.0.1', `POST leads to ${to}`)
    }
  })

  test('admin stays private: the public port answers none of its paths, and tells its address only if told to', async () => {
    const { body } = await new Client(server).get('/openapi.json')
    const paths = Object.keys(body?.paths ?? {}).map((path) =>
      path.replace(/\{\w+\}/g, '11111111-2222-4333-8444-555555555555'),
    )
    const adminOnly = [
      '/admin/sessions',
      '/admin/identities',
      '/admin/webhooks',
      '/metrics/prometheus',
      '/health/config',
      '/version',
    ]
    const all = new Set([...adminOnly, ...paths.filter((path) => path.startsWith('/admin/'))])
    const told = await new Client(server).get('/admin/identities')
    assert.deepEqual([told.status, told.headers.get('location')], [307, `${server.adminUrl}/admin/identities`])
    await server.reconfigure({ serve: { admin: { base_url: null } } })
    for (const path of all) {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const reply = await new Client(server).send(method, path)
        // 403: the anti-CSRF check comes first, and is the same for paths that do not exist
        assert.ok([403, 404, 405].includes(reply.status), `${method} ${path}: ${reply.status}`)
        assert.equal(reply.headers.get('location'), null, path)
        assert.doesNotMatch(reply.text, new RegExp(new URL(server.adminUrl).port), path)
      }
    }
    await server.reconfigure({ serve: { admin: { base_url: '{{admin}}/' } } })
  })

  test('time reveals nothing: one hash is computed for every identifier', async () => {
    const calls: string[] = []
    const hasher = {
      verify: async () => void calls.push('hash') === undefined && false,
      dummyVerify: async () => void calls.push('hash'),
      needsRehash: () => false,
      hash: async () => '',
    }
    const identity = {} as never
    const known: Record<string, { identity: never; hash: string | undefined } | undefined> = {
      known: { identity, hash: '$2a$10$x' },
      withoutPassword: { identity, hash: undefined },
      unknown: undefined,
    }
    const messages = new Set<string>()
    for (const [identifier, credential] of Object.entries(known)) {
      const d = {
        identities: { findByPasswordIdentifier: async () => credential, replacePasswordHash: async () => false },
        ...{
          hasher,
          attempts: { begin: async () => [], check: async () => {}, failed: async () => {} },
          knownBrowsers: { of: () => undefined },
          log: { warn() {} },
        },
      }
      await authenticate(d, { identifier, password: 'x' }, { client: NOBODY_KNOWN, knownBrowser: undefined }).then(
        () => assert.fail('let in'),
        (error: Error) => messages.add(error.message),
      )
    }
    assert.deepEqual(calls, ['hash', 'hash', 'hash'])
    assert.equal(messages.size, 1)
  })
})

describe('a credential that is not the one that counts', () => {
  test('is left as it is, also in the browser', async (t) => {
    const server = await testServer(t, { backend: postgres })
    const [cookieOwner, headerOwner] = [await signedIn(server), await signedIn(server)]
    const pair = csrfPair(server)
    const headers = { cookie: `${sessionCookie(server, cookieOwner.token)}; ${pair.cookie}`, ...headerOwner.headers }
    const reply = await new Client(server).send('POST', '/self-service/logout', { headers, json: {} })
    assert.deepEqual(reply.body, { revoked: [headerOwner.session.id] })
    assert.equal(
      reply.setCookie.some((line) => line.startsWith('ory_kratos_session=')),
      false,
    )
    assert.equal(await cookieOwner.whoami(), 200)
  })
})
