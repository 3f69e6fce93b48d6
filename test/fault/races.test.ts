import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Db, type Sql, sql } from '../../src/kernel/db/client.ts'
import { createReadiness } from '../../src/ops/readiness.ts'
import { Client, createPerson, isSignedIn, type Person, signInNative } from '../helpers/client.ts'
import { adopted, closingScope, createDatabase, openAt, pglite, postgres } from '../helpers/db.ts'
import { withFaults } from '../helpers/faulty-db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { proxyTo } from '../helpers/tcp-proxy.ts'
import { until } from '../helpers/until.ts'

const HOLD = sql('test.hold', 'select id from sessions where id = $1 for update')
const HOLD_IDENTITY = sql('test.hold_identity', 'select id from identities where id = $1 for update')
type SignedIn = Awaited<ReturnType<typeof signedIn>>

describe('no revival: what is under way while a session ends does not bring it back', () => {
  for (const backend of [postgres, adopted, pglite]) {
    describe(backend.name, () => {
      const scope = closingScope()
      let server: TestServer
      /** holds one step back until `mayGo` */
      let gate: { step: string; reached(): void; mayGo: Promise<void> } | undefined
      before(async () => {
        const before = async (step: string) => {
          if (step !== gate?.step) return
          gate.reached()
          await gate.mayGo
        }
        server = await testServer(scope, { db: withFaults(await backend.open(scope), { before }) })
      })
      after(() => scope.close())

      for (const [what, step, begin] of [
        // inside a transaction, nobody else would be served by the one connection of PGlite
        ['a login that renews', 'begin', renew],
        ['an extension', 'session.extend', extend],
      ] as const) {
        for (const end of ['logout', 'admin', 'everywhere'] as const) {
          test(`${what}, ended by ${end}`, async () => {
            const person = await createPerson(server)
            const { token, sessionId } = await signInNative(server, person)
            let go = () => {}
            const mayGo = new Promise<void>((resolve) => {
              go = resolve
            })
            const reached = new Promise<void>((resolve) => {
              gate = { step, reached: resolve, mayGo }
            })
            const late = begin(server, person, token, sessionId)
            await reached
            const ended = await endBy(end, server, token, sessionId)
            assert.ok(ended.status < 300)
            go()
            gate = undefined
            await late
            assert.equal(await isSignedIn(new Client(server), { 'x-session-token': token }), false)
            const text = `select count(*) as ends from lethe.events where session_id = '${sessionId}' and type = 'session.ended'`
            assert.deepEqual(await server.db.query({ name: '', text }), [{ ends: 1 }])
          })
        }
      }
    })
  }

  async function renew(server: TestServer, person: Person, token: string) {
    const client = new Client(server)
    const headers = { 'x-session-token': token }
    const flow = (await client.get('/self-service/login/api?refresh=true', headers)).body
    assert.equal(flow.refresh, true)
    const json = { method: 'password', identifier: person.email, password: person.password }
    const reply = await client.send('POST', flow.ui.action, { headers, json })
    assert.equal(reply.status, 401, `it was told that it is signed in: ${reply.text}`)
  }

  async function extend(server: TestServer, _: Person, __: string, sessionId: string) {
    const reply = await new Client(server).send('PATCH', `${server.adminUrl}/admin/sessions/${sessionId}/extend`)
    assert.ok(reply.status < 300 && reply.body?.active !== true, reply.text)
  }

  function endBy(end: 'logout' | 'admin' | 'everywhere', server: TestServer, token: string, sessionId: string) {
    const client = new Client(server)
    if (end === 'logout') return client.send('DELETE', '/self-service/logout/api', { json: { session_token: token } })
    if (end === 'admin') return client.send('DELETE', `${server.adminUrl}/admin/sessions/${sessionId}`)
    const headers = { 'x-session-token': token }
    return client.send('POST', '/self-service/logout', { headers, json: { scope: 'all' } })
  }

  test('noting when it was last used does not either', async (t) => {
    const server = await testServer(t, { backend: postgres })
    const own = await signedIn(server)
    assert.equal(await own.whoami(), 200)
    await server.deps.sessions.revoke(own.session, 'logout')
    await server.deps.lastSeen.flush()
    assert.equal(await own.whoami(), 401)
  })
})

describe('fair pool: whatever waits for one row that is locked, everybody else is served', () => {
  const scope = closingScope()
  let server: TestServer
  let holder: Db
  before(async () => {
    const url = await createDatabase(scope, { migrated: true })
    server = await testServer(scope, { db: await openAt(scope, url, { maxConnections: 4, lockTimeoutMs: 60_000 }) })
    holder = await openAt(scope, url)
  })
  after(() => scope.close())

  const client = () => new Client(server)
  const native = async ({ token }: SignedIn) =>
    (await client().send('DELETE', '/self-service/logout/api', { json: { session_token: token } })).status

  /** Holds a row while 60 ask for it, and others are at work. */
  async function crowd(hold: Sql, id: string, stuck: SignedIn, ask: () => Promise<number>): Promise<number[]> {
    const others = await Promise.all(Array.from({ length: 30 }, () => signedIn(server)))
    const person = await createPerson(server)
    let letGo = () => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    let holding: Promise<void> | undefined
    await new Promise<void>((isHeld) => {
      holding = holder.tx(async (tx) => {
        await tx.query(hold, [id])
        isHeld()
        await held
      })
    })
    // 503 at once: one account may wait for so many hashes only
    const served: number[] = []
    const waiting = Array.from({ length: 60 }, async () => {
      const status = await ask()
      if (status !== 503) served.push(status)
      return status
    })
    try {
      assert.deepEqual([...new Set(await Promise.all(others.map(native)))], [204], 'others were held up')
      assert.deepEqual([...new Set(await Promise.all(others.map((s) => s.whoami())))], [401])
      assert.ok(await signInNative(server, person))
      assert.equal(await stuck.whoami(), 200)
      assert.deepEqual(served, [], 'others were served only after those that wait')
    } finally {
      letGo()
      await holding
    }
    return [...new Set(await Promise.all(waiting))]
  }

  const everywhere = async ({ headers }: SignedIn) =>
    (await client().send('POST', '/self-service/logout', { headers, json: { scope: 'all' } })).status

  for (const [name, ask] of Object.entries<(stuck: SignedIn) => Promise<number>>({
    logouts: native,
    'logouts everywhere': everywhere,
    'ends by an admin': async ({ session }) =>
      (await client().send('DELETE', `${server.adminUrl}/admin/sessions/${session.id}`)).status,
    extensions: async ({ session }) =>
      (await client().send('PATCH', `${server.adminUrl}/admin/sessions/${session.id}/extend`)).status,
  })) {
    test(`a session is locked, 60 ${name}`, async () => {
      const stuck = await signedIn(server)
      const statuses = await crowd(HOLD, stuck.session.id, stuck, () => ask(stuck))
      assert.ok(
        statuses.every((status) => [200, 204, 503].includes(status)),
        statuses.join(),
      )
      assert.equal(await native(stuck), 204)
      assert.equal((await stuck.ends()).length, 1)
    })
  }

  type Asked = SignedIn & { person: Person }
  const admin = async (method: string, path: string, json?: unknown) =>
    (await client().send(method, `${server.adminUrl}/admin${path}`, json === undefined ? {} : { json })).status
  const submitted = async (path: string, headers: Record<string, string>, json: object) => {
    const flow = (await client().get(path, headers)).body
    return async () => (await client().send('POST', flow.ui.action, { headers, json })).status
  }
  const credentials = ({ email, password }: Person) => ({ method: 'password', identifier: email, password })

  for (const [name, prepare] of Object.entries<(of: Asked) => Promise<() => Promise<number>>>({
    'profile changes': ({ headers }) =>
      submitted('/self-service/settings/api', headers, { method: 'profile', traits: { email: 'crowd@example.com' } }),
    'password changes': ({ headers }) =>
      submitted('/self-service/settings/api', headers, { method: 'password', password: 'another-Harbour-31' }),
    'sign-ins': ({ person }) => submitted('/self-service/login/api', {}, credentials(person)),
    renewals: ({ person, headers }) => submitted('/self-service/login/api?refresh=true', headers, credentials(person)),
    'begins of settings':
      async ({ headers }) =>
      async () =>
        (await client().get('/self-service/settings/api', headers)).status,
    'logouts everywhere': async (stuck) => () => everywhere(stuck),
    'ends of all others':
      async ({ headers }) =>
      async () =>
        (await client().send('DELETE', '/sessions', { headers })).status,
    'changes by an operator':
      async ({ person }) =>
      () =>
        admin('PATCH', `/identities/${person.identityId}`, [{ op: 'add', path: '/metadata_public', value: { a: 1 } }]),
    'deletions by an operator':
      async ({ person }) =>
      () =>
        admin('DELETE', `/identities/${person.identityId}`),
    'deletions of a credential':
      async ({ person }) =>
      () =>
        admin('DELETE', `/identities/${person.identityId}/credentials/password`),
    'deletions of all sessions':
      async ({ person }) =>
      () =>
        admin('DELETE', `/identities/${person.identityId}/sessions`),
  })) {
    test(`an identity is locked, 60 ${name}`, async () => {
      const person = await createPerson(server)
      const stuck = await signedIn(server, await server.deps.identities.get(person.identityId))
      const ask = await prepare({ ...stuck, person })
      const statuses = await crowd(HOLD_IDENTITY, person.identityId, stuck, ask)
      assert.ok(
        statuses.every((status) => status < 500 || status === 503),
        statuses.join(),
      )
      assert.ok(
        statuses.some((status) => status !== 503),
        'nobody was served once the row was free',
      )
    })
  }
})

describe('deadlines', () => {
  test('readiness turns red when the database falls silent, and green again', async (t) => {
    const proxy = await proxyTo(t, await createDatabase(t, { migrated: true }))
    const db = await openAt(t, proxy.url, { connectTimeoutMs: 300, acquireTimeoutMs: 400, statementTimeoutMs: 400 })
    const isReady = createReadiness(db)
    const becomes = async (wanted: boolean) => {
      await until(async () => (await isReady()) === wanted, String(wanted))
    }
    await becomes(true)
    proxy.silence()
    await becomes(false)
    proxy.restore()
    await becomes(true)
  })
})
