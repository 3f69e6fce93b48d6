import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Micros, parseTime, SECOND } from '../../src/kernel/base/clock.ts'
import { sql } from '../../src/kernel/db/client.ts'
import { importAccount } from '../helpers/accounts.ts'
import { Client, PASSWORD } from '../helpers/client.ts'
import { backends, postgres, type Scope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { secondFactorFor, signedIn, T0 } from '../helpers/sessions.ts'

const MINUTE = 60 * SECOND
const CAUSES = sql(
  'test.causes',
  `select session_id, cause, data from lethe.events where type = 'session.ended' order by seq`,
)
const ends = (server: TestServer) => server.db.query<{ session_id: string; cause: string; data: any }>(CAUSES)

/** A server whose clock the test moves. */
async function ruled(t: Scope, rules: object, backend = postgres, more: object = {}) {
  let now: Micros = parseTime(T0)
  const server = await testServer(t, {
    backend,
    config: { ...more, lethe: { sessions: rules } },
    clock: { now: () => now },
  })
  return {
    server,
    pass: (time: Micros) => {
      now += time
    },
    now: () => now,
  }
}

for (const backend of backends()) {
  describe(`limits of sessions at once on ${backend.name}`, () => {
    test('the sessions that began first end for a new one, as `limit`', async (t) => {
      const { server, pass } = await ruled(t, { max_per_identity: 2 }, backend)
      const first = await signedIn(server)
      pass(SECOND)
      const second = await signedIn(server, first.session.identity)
      pass(SECOND)
      const stranger = await signedIn(server)
      const third = await signedIn(server, first.session.identity)
      assert.deepEqual(
        await Promise.all([first, second, third, stranger].map(({ whoami }) => whoami())),
        [401, 200, 200, 200],
      )
      assert.deepEqual(
        (await ends(server)).map(({ session_id, cause }) => [session_id, cause]),
        [[first.session.id, 'limit']],
      )
    })

    test('many sign-ins at once leave as many sessions as are allowed', async (t) => {
      const { server, pass } = await ruled(t, { max_per_identity: 3 }, backend)
      const { session } = await signedIn(server)
      pass(SECOND)
      const all = await Promise.all(Array.from({ length: 8 }, () => signedIn(server, session.identity)))
      const statuses = await Promise.all(all.map(({ whoami }) => whoami()))
      assert.equal(statuses.filter((status) => status === 200).length, 3)
      assert.equal((await ends(server)).length, 6)
    })

    test('a sign-in too many is refused, in the form, until another has ended', async (t) => {
      const { server } = await ruled(t, { max_per_identity: 1, when_full: 'refuse' }, backend)
      await importAccount(server.adminUrl, 'a@example.com', PASSWORD)
      const login = async () => {
        const app = new Client(server)
        const flow = (await app.send('GET', '/self-service/login/api')).body
        const json = { method: 'password', identifier: 'a@example.com', password: PASSWORD }
        return app.send('POST', `/self-service/login?flow=${flow.id}`, { json })
      }
      const [first, second] = [await login(), await login()]
      assert.equal(first.status, 200)
      assert.equal(second.status, 400)
      assert.match(second.body.ui.messages[0].text, /signed in on 1 device already/)
      await new Client(server).send('DELETE', '/self-service/logout/api', {
        json: { session_token: first.body.session_token },
      })
      assert.equal((await login()).status, 200)
    })
  })
}

describe('limits of time', () => {
  test('an idle session refuses from that moment, its end is told once by the collector, with when it was', async (t) => {
    const { server, pass, now } = await ruled(t, { idle_timeout: '30m' })
    const { whoami, session } = await signedIn(server)
    pass(30 * MINUTE - SECOND)
    assert.equal(await whoami(), 200)
    await server.deps.lastSeen.flush()
    pass(30 * MINUTE - SECOND)
    assert.equal(await whoami(), 200, 'it was used meanwhile')
    await server.deps.lastSeen.flush()
    const at = now()
    pass(30 * MINUTE + 36 * SECOND)
    assert.equal(await whoami(), 401)
    assert.deepEqual(await ends(server), [])
    await server.deps.collector.round()
    await server.deps.collector.round()
    const [end, ...more] = await ends(server)
    assert.deepEqual([end?.session_id, end?.cause, more.length], [session.id, 'idle', 0])
    const ended = parseTime(end!.data.ended_at) - at
    assert.ok(ended >= 30 * MINUTE && ended <= 30 * MINUTE + 35 * SECOND, `${ended} µs after the last use`)
  })

  test('a note that comes too late brings no session back', async (t) => {
    const { server, pass } = await ruled(t, { idle_timeout: '30m' })
    const { whoami } = await signedIn(server)
    pass(30 * MINUTE)
    assert.equal(await whoami(), 200)
    pass(10 * MINUTE)
    assert.equal(await whoami(), 401)
    await server.deps.lastSeen.flush()
    assert.equal(await whoami(), 401)
  })

  test('nothing prolongs a session beyond its absolute end: not `extend`, nor what is written into cookies and tokens', async (t) => {
    const { server, pass } = await ruled(t, { absolute_timeout: '1h' }, postgres, { session: { lifespan: '24h' } })
    await importAccount(server.adminUrl, 'a@example.com', PASSWORD)
    const browser = new Client(server)
    const flow = (await browser.send('GET', '/self-service/login/browser')).body
    const csrf_token = flow.ui.nodes.find((node: any) => node.attributes.name === 'csrf_token').attributes.value
    const json = { method: 'password', identifier: 'a@example.com', password: PASSWORD, csrf_token }
    const signedIn = await browser.send('POST', `/self-service/login?flow=${flow.id}`, { json })
    const cookie = signedIn.setCookie.find((line) => line.startsWith('ory_kratos_session='))!
    assert.equal(/Max-Age=(\d+)/.exec(cookie)?.[1], '3600')
    const { id, expires_at } = signedIn.body.session
    assert.equal(parseTime(expires_at), parseTime(T0) + 60 * MINUTE)
    pass(50 * MINUTE)
    const extended = await fetch(`${server.adminUrl}/admin/sessions/${id}/extend`, { method: 'PATCH' })
    assert.equal(((await extended.json()) as any).expires_at, expires_at)
    assert.equal((await browser.send('GET', '/sessions/whoami')).status, 200)
    pass(10 * MINUTE)
    assert.equal((await browser.send('GET', '/sessions/whoami')).status, 401)
    await server.deps.collector.round()
    assert.deepEqual(
      (await ends(server)).map(({ cause }) => cause),
      ['absolute'],
    )
  })

  test('a schema has rules of its own; what it does not set is the general rule, and 0s is none', async (t) => {
    const rules = { idle_timeout: '10m', schemas: { default: { idle_timeout: '0s', absolute_timeout: '1h' } } }
    const { server, pass } = await ruled(t, rules)
    const { whoami, session } = await signedIn(server)
    pass(59 * MINUTE)
    assert.equal(await whoami(), 200)
    pass(MINUTE)
    assert.equal(await whoami(), 401)
    const other = await signedIn(server, { ...session.identity, schema_id: 'default' })
    await server.reconfigure({ lethe: { sessions: { schemas: null } } })
    pass(11 * MINUTE)
    assert.equal(await other.whoami(), 401, 'rules count for sessions that began before them')
  })
})

describe('proofs that have to be fresh', () => {
  test('an old session is asked to sign in anew, and does not end', async (t) => {
    const { server, pass } = await ruled(t, { require_fresh: { aal1: '1h' } })
    const { headers, session } = await signedIn(server)
    pass(60 * MINUTE)
    for (const path of ['/sessions/whoami', '/sessions']) {
      const answer = await new Client(server).send('GET', path, { headers })
      assert.equal(answer.status, 403)
      assert.equal(answer.body.error.id, 'session_refresh_required')
      assert.match(answer.body.redirect_browser_to, /\/self-service\/login\/browser\?refresh=true/)
    }
    const proof = { authentication: { method: 'password', aal: 'aal1' } } as const
    const rows = { identity: session.identity_id, session: session.id }
    await server.deps.locks.tx(rows, (tx) => server.deps.sessions.refresh(session, proof, tx))
    assert.equal((await new Client(server).send('GET', '/sessions/whoami', { headers })).status, 200)
    assert.deepEqual(await ends(server), [])
  })

  test('a second factor that was shown too long ago counts as not shown', async (t) => {
    const more = { session: { whoami: { required_aal: 'highest_available' } } }
    const { server, pass } = await ruled(t, { require_fresh: { aal2: '15m' } }, postgres, more)
    const { headers, session } = await signedIn(server)
    await secondFactorFor(server.db, session.identity_id)
    const rows = { identity: session.identity_id, session: session.id }
    const proof = { authentication: { method: 'totp', aal: 'aal2' } } as const
    await server.deps.locks.tx(rows, (tx) => server.deps.sessions.refresh(session, proof, tx))
    const whoami = () => new Client(server).send('GET', '/sessions/whoami', { headers })
    assert.equal((await whoami()).status, 200)
    pass(15 * MINUTE)
    const answer = await whoami()
    assert.deepEqual([answer.status, answer.body.error.id], [403, 'session_aal2_required'])
  })
})
