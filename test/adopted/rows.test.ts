import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Db } from '../../src/kernel/db/client.ts'
import { Client } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { liveServer, tickingClock } from '../helpers/live-kratos.ts'
import type { TestServer } from '../helpers/server.ts'
import { comparable, KRATOS_WRITES, type Write, writesOf } from '../helpers/writes.ts'

const PBKDF2 = '$pbkdf2-sha256$i=1000,l=32$Zml4dHVyZS1zYWx0LTAwMDE$gP5S85xkXQH5rDVt177EN2Np6GeBtxur3boUYBBScu4'
const ONE = { identifier: 'ev.one@example.org', password: 'first-Harbour-91' }
const TWO = { identifier: 'ev.two@example.org', password: 'dave-Pbkdf-6' }

/** Every call below is made in the order of the recording, and writes what Kratos wrote. */
describe('each call writes the rows that Kratos writes', () => {
  const scope = closingScope()
  let server: TestServer
  let db: Db
  let browser: Client
  const ids: Record<string, string> = {}
  before(async () => {
    server = await liveServer(scope, { config: { session: { lifespan: '24h' } }, clock: tickingClock() })
    db = server.db
    browser = new Client(server)
  })
  after(() => scope.close())

  /** @param change what Lethe does otherwise, and why, stands at the call */
  function same(event: string, call: () => Promise<unknown>, change = (recorded: Write[]) => recorded) {
    test(event, async () => {
      const recorded = KRATOS_WRITES[event]
      assert.ok(recorded, 'no such event in the recording')
      assert.deepEqual(await writesOf(db, call), comparable(change(recorded)))
    })
  }

  const admin = async (method: string, path: string, json?: unknown) => {
    const reply = await new Client(server).send(method, `${server.adminUrl}/admin/${path}`, json ? { json } : {})
    assert.ok(reply.status < 300, reply.text)
    return reply.body
  }
  const begin = async (path: string, client: Client) => {
    const { body, status, text } = await client.get(`/self-service/${path}`)
    assert.equal(status, 200, text)
    ids.flow = body.id
    ids.csrf = body.ui.nodes.find((node: any) => node.attributes.name === 'csrf_token')?.attributes.value
  }
  const submit = async (kind: 'login' | 'registration', client: Client, json: object, expected = 200) => {
    const body = { method: 'password', csrf_token: ids.csrf, ...json }
    const reply = await client.send('POST', `/self-service/${kind}?flow=${ids.flow}`, { json: body })
    assert.equal(reply.status, expected, reply.text)
    return reply.body
  }

  same('admin create, plain password', async () => {
    const { id } = await admin('POST', 'identities', {
      ...{ schema_id: 'default', traits: { email: 'Ev.One@Example.ORG' } },
      ...{ metadata_public: { a: 1 }, metadata_admin: { b: 2 } },
      credentials: { password: { config: { password: ONE.password } } },
    })
    ids.one = id
  })
  same('admin create, hashed import (pbkdf2)', () =>
    admin('POST', 'identities', {
      ...{ schema_id: 'default', traits: { email: TWO.identifier }, external_id: 'ext-2' },
      credentials: { password: { config: { hashed_password: PBKDF2 } } },
    }),
  )
  same('admin create, no credentials, state inactive', () =>
    admin('POST', 'identities', { schema_id: 'default', traits: { email: 'ev.three@example.org' }, state: 'inactive' }),
  )
  same('admin create, user-name schema, only traits with password', () =>
    admin('POST', 'identities', {
      ...{ schema_id: 'account', traits: { username: '  Mixed Case ' } },
      credentials: { password: { config: { password: ONE.password } } },
    }),
  )
  same('admin create, schema without credentials in body', () =>
    admin('POST', 'identities', { schema_id: 'account', traits: { username: 'ÄÖÜ ß İ' } }),
  )

  same('registration: init browser', () => begin('registration/browser', browser))
  same('registration: get flow', () => browser.get(`/self-service/registration/flows?id=${ids.flow}`))
  same('registration: submit rejected (short password)', () =>
    submit('registration', browser, { password: 'x', traits: { email: 'Ev.Reg@Example.org' } }, 400),
  )
  same('registration: submit browser, session hook', () =>
    submit('registration', browser, {
      password: ONE.password,
      'traits.email': 'Ev.Reg@Example.org',
      'traits.name': {},
    }),
  )
  same('registration: init api', () => begin('registration/api', new Client(server)))
  same('registration: submit api', () =>
    submit('registration', new Client(server), {
      password: ONE.password,
      traits: { email: 'ev.api@example.org', name: {} },
    }),
  )

  test('a new browser', () => {
    browser = new Client(server)
  })
  same('login: init browser', () => begin('login/browser', browser))
  same('login: wrong password', () => submit('login', browser, { ...ONE, password: 'wrong' }, 400))
  same('login: submit browser', async () => {
    ids.session = (await submit('login', browser, ONE)).session.id
  })
  same('login: init api', () => begin('login/api', new Client(server)))
  same('login: submit api', async () => {
    const { session, session_token: token } = await submit('login', new Client(server), ONE)
    Object.assign(ids, { native: session.id, token })
  })
  same('login: init api with exchange code', () => {
    const query = 'return_session_token_exchange_code=true&return_to=https://app.example.org/'
    return begin(`login/api?${query}`, new Client(server))
  })
  // A hash is replaced in its row: at no moment is the identifier free for somebody else.
  test('before the next', () => begin('login/api', new Client(server)))
  same(
    'login: imported pbkdf2 hash (rehash)',
    () => submit('login', new Client(server), TWO),
    (recorded) => [
      ...recorded.filter(({ table }) => !table.startsWith('identity_credential')),
      {
        op: 'update',
        table: 'identity_credentials',
        changed: {
          config: [{ hashed_password: PBKDF2 }, { hashed_password: `$2a$04$${'x'.repeat(53)}` }],
          updated_at: ['2026-11-22T14:39:13.412893', '2026-11-22T14:39:24.008556'],
        },
      },
    ],
  )

  same('whoami by cookie', () => browser.get('/sessions/whoami'))
  same('whoami by token', () => new Client(server).get('/sessions/whoami', { 'x-session-token': ids.token! }))
  same('whoami without credentials', () => new Client(server).get('/sessions/whoami'))
  same('list own sessions', () => browser.get('/sessions'))
  same('login init browser, refresh=true', () => begin('login/browser?refresh=true', browser))
  same('login submit, refresh', () => submit('login', browser, ONE))
  same('extend (admin)', () => admin('PATCH', `sessions/${ids.native}/extend`))
  same('logout: create (GET /logout/browser)', async () => {
    ids.logout = (await browser.get('/self-service/logout/browser')).body.logout_token
  })
  same('logout: submit wrong token, html', () =>
    browser.get('/self-service/logout?token=wrong', { accept: 'text/html' }),
  )
  same('logout: submit', () => browser.get(`/self-service/logout?token=${ids.logout}`))
  const logoutApi = (token: string) =>
    new Client(server).send('DELETE', '/self-service/logout/api', { json: { session_token: token } })
  same('logout api', () => logoutApi(ids.token!))
  same('logout api again', () => logoutApi(ids.token!))
  same('logout api unknown token', () => logoutApi('ory_st_unknown'))

  test('more sessions', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await begin('login/api', new Client(server))
      const { session, session_token: token } = await submit('login', new Client(server), ONE)
      Object.assign(ids, { [name]: session.id, [`${name}Token`]: token })
    }
  })
  same('DELETE /sessions/{id} by its owner', () =>
    new Client(server).send('DELETE', `/sessions/${ids.a}`, { headers: { 'x-session-token': ids.bToken! } }),
  )
  same('DELETE /sessions (all others)', () =>
    new Client(server).send('DELETE', '/sessions', { headers: { 'x-session-token': ids.bToken! } }),
  )
  same('DELETE /admin/sessions/{id}', () => admin('DELETE', `sessions/${ids.b}`))
  same('DELETE /admin/sessions/{id} again', () => admin('DELETE', `sessions/${ids.b}`))
  test('one more, so that there are as many as there were', async () => {
    await begin('login/api', new Client(server))
    await submit('login', new Client(server), ONE)
  })
  same('DELETE /admin/identities/{id}/sessions', () => admin('DELETE', `identities/${ids.one}/sessions`))
  const state = (value: string) => [{ op: 'replace', path: '/state', value }]
  same('PATCH state inactive', () => admin('PATCH', `identities/${ids.one}`, state('inactive')))
  same('PATCH state active', () => admin('PATCH', `identities/${ids.one}`, state('active')))
  same('PUT state inactive, same traits', () =>
    admin('PUT', `identities/${ids.one}`, {
      ...{ schema_id: 'default', state: 'inactive', traits: { email: 'Ev.One@Example.ORG' } },
    }),
  )
  same('PUT state active, new mail, new password', () =>
    admin('PUT', `identities/${ids.one}`, {
      ...{ schema_id: 'default', state: 'active', traits: { email: 'ev.uno@example.org' } },
      credentials: { password: { config: { password: 'second-Harbour-92' } } },
    }),
  )
  test('a session to go with its identity', async () => {
    await begin('login/api', new Client(server))
    await submit('login', new Client(server), { identifier: 'ev.uno@example.org', password: 'second-Harbour-92' })
  })
  same('DELETE /admin/identities/{id}', () => admin('DELETE', `identities/${ids.one}`))
})
