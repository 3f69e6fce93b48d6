import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Identity } from '../../src/identities/types.ts'
import { StoreError, StoreUnavailable } from '../../src/kernel/db/client.ts'
import { Client, createPerson, type Reply } from '../helpers/client.ts'
import { csrfPair, sessionCookie } from '../helpers/credentials.ts'
import { closingScope, postgres } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

/**
 * Every step of the store fails once, on every way that ends a session: before it has taken effect, or after, so that
 * only its answer is lost. The answer must then be a failure, and the browser must keep its cookies.
 */

interface Arranged {
  identity: Identity
  /** of the session that asks */
  token: string
  sessionId: string
  logoutToken: string
  otherId: string
  csrfCookie: string
  /** the Cookie header with both cookies */
  cookie: string
  csrfToken: string
}

interface Way {
  method: string
  path(a: Arranged): string
  headers?(a: Arranged): Record<string, string>
  json?(a: Arranged): unknown
  form?(a: Arranged): Record<string, string>
  admin?: true
}

const byCookie = (a: Arranged) => ({ cookie: a.cookie, 'x-csrf-token': a.csrfToken })
const byHeader = (a: Arranged) => ({ cookie: a.csrfCookie, 'x-session-token': a.token })
const html = { accept: 'text/html' }
const logoutUrl = (a: Arranged) => `/self-service/logout?token=${a.logoutToken}`
const post = (headers: Way['headers'], json: Way['json']): Way => ({
  method: 'POST',
  path: () => '/self-service/logout',
  headers: headers!,
  json: json!,
})
const csrf = (a: Arranged) => ({ csrf_token: a.csrfToken })
const admin = (method: string, path: Way['path'], json?: Way['json']): Way => ({
  method,
  path: (a) => `/admin${path(a)}`,
  admin: true,
  ...(json ? { json } : {}),
})

const WAYS: Record<string, Way> = {
  'logout URL, script with a cookie': { method: 'GET', path: logoutUrl, headers: byCookie },
  'logout URL, browser': { method: 'GET', path: logoutUrl, headers: (a) => ({ ...byCookie(a), ...html }) },
  'logout URL, token in a header': { method: 'GET', path: logoutUrl, headers: byHeader },
  'native logout': {
    method: 'DELETE',
    path: () => '/self-service/logout/api',
    json: (a) => ({ session_token: a.token }),
  },
  'POST, current, cookie': post(byCookie, csrf),
  'POST, current, token in a header': post(byHeader, () => ({})),
  'POST, all': post(byCookie, (a) => ({ ...csrf(a), scope: 'all' })),
  'POST, others': post(byCookie, (a) => ({ ...csrf(a), scope: 'others' })),
  'POST, by id': post(byCookie, (a) => ({ ...csrf(a), session_ids: [a.sessionId, a.otherId] })),
  'POST, form of a browser': {
    method: 'POST',
    path: () => '/self-service/logout',
    headers: (a) => ({ cookie: a.cookie, ...html }),
    form: csrf,
  },
  'own other session': { method: 'DELETE', path: (a) => `/sessions/${a.otherId}`, headers: byHeader },
  'all own other sessions': { method: 'DELETE', path: () => '/sessions', headers: byHeader },
  'admin, one session': admin('DELETE', (a) => `/sessions/${a.sessionId}`),
  'admin, all sessions of an identity': admin('DELETE', (a) => `/identities/${a.identity.id}/sessions`),
  'admin, identity deleted': admin('DELETE', (a) => `/identities/${a.identity.id}`),
  'admin, identity disabled': admin(
    'PATCH',
    (a) => `/identities/${a.identity.id}`,
    () => [{ op: 'replace', path: '/state', value: 'inactive' }],
  ),
  'admin, password changed': admin(
    'PUT',
    (a) => `/identities/${a.identity.id}`,
    (a) => ({
      schema_id: 'default',
      state: 'active',
      traits: a.identity.traits,
      credentials: { password: { config: { password: 'another-Quiet-91' } } },
    }),
  ),
}

const FAILURES = {
  unavailable: () => new StoreUnavailable('injected: 10.1.2.3 does not answer'),
  error: () => new StoreError('injected: relation "sessions" does not exist', '42P01'),
}

describe('a failure at any step of any way out', () => {
  const scope = closingScope()
  let server: TestServer
  /** the step that fails, counted from 0; undefined: none */
  let plan: { at: number; when: 'before' | 'after'; failure: () => Error } | undefined
  let steps: string[] = []

  before(async () => {
    const fail = (when: 'before' | 'after') => (name: string) => {
      if (!plan) return
      if (when === 'before') steps.push(name)
      if (plan.when === when && steps.length - 1 === plan.at && steps.at(-1) === name) {
        const { failure } = plan
        plan = { ...plan, at: -2 }
        throw failure()
      }
    }
    const db = withFaults(await postgres.open(scope), { before: fail('before'), after: fail('after') })
    server = await testServer(scope, { db, config: { lethe: { sessions: { end_on_password_change: 'all' } } } })
  })
  after(() => scope.close())

  async function arrange(): Promise<Arranged> {
    const { email } = await createPerson(server)
    const { identity } = (await server.deps.identities.findByPasswordIdentifier(email))!
    const [own, other] = [await signedIn(server, identity), await signedIn(server, identity)]
    const pair = csrfPair(server)
    return {
      identity,
      token: own.token,
      sessionId: own.session.id,
      logoutToken: server.deps.sessions.logoutToken(own.session),
      otherId: other.session.id,
      csrfCookie: pair.cookie,
      cookie: `${pair.cookie}; ${sessionCookie(server, own.token)}`,
      csrfToken: pair.token(),
    }
  }

  function act(way: Way, a: Arranged): Promise<Reply> {
    const target = (way.admin ? server.adminUrl : server.publicUrl) + way.path(a)
    return new Client(server).send(way.method, target, {
      ...(way.headers ? { headers: way.headers(a) } : {}),
      ...(way.json ? { json: way.json(a) } : {}),
      ...(way.form ? { form: way.form(a) } : {}),
    })
  }

  async function activeAndEnds(a: Arranged): Promise<{ active: number; ends: number }> {
    const text = `select (select count(*) from sessions where identity_id = $1 and active) as active,
      (select count(*) from lethe.events where identity_id = $1 and type = 'session.ended') as ends`
    const [row] = await server.db.query<{ active: number; ends: number }>({ name: '', text }, [a.identity.id])
    return row!
  }

  /** The status of an answer, or of the error that a browser is sent to see. */
  async function statusOf(reply: Reply): Promise<number> {
    const id = /\/error\?id=([\w-]+)$/.exec(reply.headers.get('location') ?? '')?.[1]
    return id === undefined
      ? reply.status
      : (await new Client(server).get(`/self-service/errors?id=${id}`)).body.error.code
  }

  for (const [name, way] of Object.entries(WAYS)) {
    test(name, async () => {
      for (const when of ['before', 'after'] as const) {
        for (const [kind, failure] of Object.entries(FAILURES)) {
          // Which failure it was that lost an answer makes no difference.
          if (when === 'after' && kind === 'error') continue
          const failed = await failAtEach(way, when, failure, kind === 'unavailable' ? 503 : 500)
          assert.ok(failed > 0, 'no step was found that could fail')
        }
      }
    })
  }

  async function failAtEach(way: Way, when: 'before' | 'after', failure: () => Error, status: number) {
    for (let at = 0; ; at++) {
      const a = await arrange()
      steps = []
      plan = { at, when, failure }
      const reply = await act(way, a)
      const happened = plan.at === -2
      plan = undefined
      const where = `${when} ${steps[at]}`
      if (!happened) {
        assert.ok(reply.status < 400, `${reply.status} without a failure`)
        return at
      }
      assert.equal(await statusOf(reply), status, where)
      if (status === 503) assert.ok(Number(reply.headers.get('retry-after')) > 0, where)
      assert.deepEqual(reply.setCookie, [], `${where}: the browser keeps its cookies`)
      assert.equal(reply.headers.get('clear-site-data'), null)
      assert.doesNotMatch(reply.text, /injected|10\.1\.2\.3|relation|42P01|"revoked"/, where)
      const { active, ends } = await activeAndEnds(a)
      if (when === 'before') {
        assert.deepEqual({ active, ends }, { active: 2, ends: 0 }, `${where}: nothing of it remains`)
        assert.ok((await act(way, a)).status < 400, `${where}: asked again, it works`)
      }
    }
  }
})
