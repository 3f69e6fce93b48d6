import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { LIVE, type LiveIdentity, liveServer } from '../helpers/live-kratos.ts'
import type { TestServer } from '../helpers/server.ts'

const HASH = sql(
  'test.live_hash',
  `select c.config ->> 'hashed_password' as hash from identity_credentials c
   join identity_credential_types t on t.id = c.identity_credential_type_id and t.name = 'password'
   where c.identity_id = $1`,
)
const UNMARK = sql('test.unmark', `update identities set available_aal = $2 where id = $1`)
const FLOW = sql('test.live_flow', 'select active_method from selfservice_login_flows where id = $1')

const people = Object.entries(LIVE.identities)
const withPassword = people.filter(([name, { password }]) => password !== null && name !== 'grace' && name !== 'ivan')
const formOf = ({ login_with: identifier, password }: LiveIdentity) => ({ method: 'password', identifier, password })

describe('people of a live Kratos', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await liveServer(scope)
  })
  after(() => scope.close())

  async function loginNative(who: LiveIdentity, path = '') {
    const client = new Client(server)
    const { body } = await client.get(path || '/self-service/login/api')
    return client.send('POST', `/self-service/login?flow=${body.id}`, { json: formOf(who) })
  }

  for (const [name, who] of people) {
    test(`${name}: an admin sees what Kratos showed`, async () => {
      const answer = await new Client(server).get(
        `${server.adminUrl}/admin/identities/${who.id}?include_credential=password`,
      )
      assert.equal(answer.status, 200)
      assert.deepEqual(answer.body, who.admin_get)
    })
  }

  for (const [name, who] of withPassword) {
    test(`${name}: the password ${who.stored_hash!.slice(0, 7)}… signs in, in an app and in a browser`, async () => {
      const app = await loginNative(who)
      assert.equal(app.status, 200, app.text)
      assert.match(app.body.session_token, /^ory_st_[A-Za-z0-9]{32}$/)
      assert.equal(app.body.session.identity.id, who.id)

      const browser = new Client(server)
      const flow = await browser.get('/self-service/login/browser')
      const csrf_token = flow.body.ui.nodes.find((n: any) => n.attributes.name === 'csrf_token').attributes.value
      const signedIn = await browser.send('POST', `/self-service/login?flow=${flow.body.id}`, {
        json: { ...formOf(who), csrf_token },
      })
      assert.equal(signedIn.status, 200, signedIn.text)
      assert.equal((await browser.get('/sessions/whoami')).body.identity.id, who.id)
      assert.equal((await loginNative({ ...who, password: `${who.password}x` })).status, 400)
    })
  }

  test('an imported hash becomes one that Kratos writes, and the password still works', async () => {
    const { dave } = LIVE.identities
    await loginNative(dave!)
    const [row] = await server.db.query<{ hash: string }>(HASH, [dave!.id])
    assert.match(row!.hash, /^\$2a\$/)
    assert.equal((await loginNative(dave!)).status, 200)
  })

  test('a disabled person is refused, one without a password too', async () => {
    const { grace, nora } = LIVE.identities
    assert.equal((await loginNative(grace!)).status, 401)
    const without = await loginNative({ ...nora!, password: 'any' })
    assert.deepEqual([without.status, without.body.ui.messages[0].id], [400, 4000006])
  })

  // `aal1` and NULL are what a writer that died between two statements, or an old version, leaves behind.
  for (const mark of ['aal2', 'aal1', null]) {
    test(`with a second factor, the password alone is not enough (available_aal ${mark})`, async () => {
      const { ivan } = LIVE.identities
      await server.db.query(UNMARK, [ivan!.id, mark])
      const login = await loginNative(ivan!)
      const token = login.body.session_token
      assert.ok(token)
      const client = new Client(server)
      const refused = await client.get('/sessions/whoami', { 'x-session-token': token })
      assert.deepEqual([refused.status, refused.body.error.id], [403, 'session_aal2_required'])
      assert.equal((await client.get('/sessions', { 'x-session-token': token })).status, 403)
    })
  }
})

describe('flows that Kratos began and Lethe finishes', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await liveServer(scope)
  })
  after(() => scope.close())

  for (const name of ['login-browser-open', 'login-browser-failed-once']) {
    test(`${name}: with the anti-CSRF cookie and token that Kratos handed out`, async () => {
      const flow = LIVE.flows[name]!
      const client = new Client(server)
      const headers = { cookie: flow.cookie! }
      const shown = await client.get(`/self-service/login/flows?id=${flow.id}`, headers)
      assert.deepEqual([shown.status, shown.body.id], [200, flow.id], shown.text)
      assert.deepEqual(shown.setCookie, [], 'the cookie of Kratos is kept')
      const submit = (csrf_token: string | undefined) =>
        client.send('POST', `/self-service/login?flow=${flow.id}`, {
          headers,
          json: { ...formOf(LIVE.identities.alice!), csrf_token },
        })
      const stranger = LIVE.flows['registration-browser-open']!.csrf_token
      assert.equal((await submit(stranger)).status, 403)
      const signedIn = await submit(flow.csrf_token)
      assert.equal(signedIn.status, 200, signedIn.text)
      assert.deepEqual(await server.db.query(FLOW, [flow.id]), [{ active_method: 'password' }])
    })
  }

  test('login-api-open', async () => {
    const { id } = LIVE.flows['login-api-open']!
    const answer = await new Client(server).send('POST', `/self-service/login?flow=${id}`, {
      json: formOf(LIVE.identities.bob!),
    })
    assert.equal(answer.status, 200, answer.text)
  })

  test('registration-browser-open', async () => {
    const { id, cookie, csrf_token } = LIVE.flows['registration-browser-open']!
    const answer = await new Client(server).send('POST', `/self-service/registration?flow=${id}`, {
      headers: { cookie: cookie! },
      json: { method: 'password', csrf_token, password: 'a-quiet-Harbour-92', traits: { email: 'new@example.org' } },
    })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.body.session.active, true)
  })

  for (const [name, { id, first_read }] of Object.entries(LIVE.errors)) {
    test(`the page of the error ${name}`, async () => {
      const answer = await new Client(server).get(`/self-service/errors?id=${id}`)
      assert.equal(answer.status, 200)
      assert.equal(answer.body.id, id)
      if (first_read) assert.deepEqual(answer.body, first_read.body)
    })
  }
})
