import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, type Person, signIn, signInNative } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const EVIL = 'return_to=https%3A%2F%2Fevil.test%2F'
const SCRIPT = { accept: 'application/json' }

/** Where several refusals apply, clients see the one that Kratos checks first. */
describe('which refusal comes first', () => {
  const scope = closingScope()
  let server: TestServer
  let person: Person
  before(async () => {
    server = await testServer(scope)
    person = await createPerson(server)
  })
  after(() => scope.close())

  const idOf = async (reply: Promise<{ status: number; body: any }>) => {
    const { status, body } = await reply
    return [status, body.error?.id ?? body.error?.reason]
  }

  test('a logout begins: the session, then where to go', async () => {
    const path = `/self-service/logout/browser?${EVIL}`
    assert.deepEqual(await idOf(new Client(server).get(path)), [401, 'session_inactive'])
  })

  test('a logout ends: its token, the session, then where to go', async () => {
    const client = new Client(server)
    assert.equal((await client.get(`/self-service/logout?${EVIL}`)).status, 400)
    assert.deepEqual(await idOf(client.get(`/self-service/logout?token=x&${EVIL}`)), [401, 'session_inactive'])
    await signIn(client, person)
    assert.equal((await client.get(`/self-service/logout?token=x&${EVIL}`)).status, 403)
  })

  test('settings: the session, then where to go', async () => {
    for (const kind of ['browser', 'api']) {
      const path = `/self-service/settings/${kind}?${EVIL}`
      assert.deepEqual(await idOf(new Client(server).get(path)), [401, 'session_inactive'])
    }
  })

  test('a login: where to go, the level, then the session', async () => {
    const client = new Client(server)
    const query = `aal=aal2&identity_schema=unknown`
    const begin = '/self-service/login/browser'
    assert.equal((await idOf(client.get(`${begin}?${query}&${EVIL}`)))[0], 400)
    assert.match((await idOf(client.get(`${begin}?aal=aal7&identity_schema=unknown`)))[1], /aal7/)
    // No schema is chosen for a second factor, so one that does not exist is no mistake there.
    assert.deepEqual(await idOf(client.get(`${begin}?${query}`)), [401, 'session_aal1_required'])
  })

  test('a registration in an app: the session, then all else; in a browser: the session last', async () => {
    const { token } = await signInNative(server, person)
    const native = new Client(server).get(`/self-service/registration/api?${EVIL}`, { 'x-session-token': token })
    assert.deepEqual(await idOf(native), [400, 'session_already_available'])
    const browser = new Client(server)
    await signIn(browser, person)
    const reply = browser.get(`/self-service/registration/browser?${EVIL}`)
    assert.deepEqual(await idOf(reply), [400, 'self_service_flow_return_to_forbidden'])
  })

  test('a registration is sent: the session, then the flow', async () => {
    const browser = new Client(server)
    await signIn(browser, person)
    for (const path of ['/self-service/registration', '/self-service/registration?flow=x']) {
      assert.deepEqual(await idOf(browser.send('POST', path, { json: {} })), [400, 'session_already_available'])
      const page = await browser.send('POST', path, { form: {}, headers: { accept: 'text/html' } })
      assert.equal(page.status, 302)
    }
  })

  test('a login for a second factor: the session, then whether the form has expired', async () => {
    const browser = new Client(server)
    await signIn(browser, person)
    const flow = (await browser.get('/self-service/login/browser?aal=aal2')).body
    const expire = `update selfservice_login_flows set expires_at = now() - interval '1 minute' where id = $1`
    await server.db.query(sql('test.expire_one_login', expire), [flow.id])
    const json = { method: 'password', csrf_token: 'x' }
    const reply = new Client(server).send('POST', `/self-service/login?flow=${flow.id}`, { json })
    assert.deepEqual(await idOf(reply), [401, 'session_aal1_required'])
  })

  test('switched off, registration says so before it looks for anything', async () => {
    const closed = await testServer(scope, { wireConfig: 'registration-disabled' })
    const client = new Client(closed)
    for (const path of [
      `/self-service/registration/browser?${EVIL}`,
      `/self-service/registration/api?${EVIL}`,
      '/self-service/registration/flows?id=x',
    ]) {
      assert.deepEqual(await idOf(client.get(path, SCRIPT)), [400, 'self_service_flow_disabled'], path)
    }
  })
})

describe('who counts as a script', () => {
  const scope = closingScope()
  let server: TestServer
  before(async () => {
    server = await testServer(scope)
  })
  after(() => scope.close())

  const answerTo = async (headers: Record<string, string>) =>
    (await new Client(server).get('/self-service/logout/browser', headers)).status

  test('it prefers JSON, or its content type is that of JSON and nothing more, with or without a body', async () => {
    const [script, browser] = [401, 303]
    const any = { accept: '*/*' }
    assert.equal(await answerTo(any), browser)
    assert.equal(await answerTo({ ...any, 'content-type': 'application/json' }), script)
    for (const type of [
      'application/json; charset=utf-8',
      'application/json;charset=UTF-8',
      'Application/JSON',
      'application/json, text/html',
      'application/problem+json',
      'text/json',
    ]) {
      assert.equal(await answerTo({ ...any, 'content-type': type }), browser, type)
      assert.equal(await answerTo({ accept: 'application/json', 'content-type': type }), script, type)
    }
  })
})

describe('parameters under their older names', () => {
  test('an error is read by `error` as by `id`, and `error` wins', async (t) => {
    const server = await testServer(t)
    const client = new Client(server)
    const page = await client.get('/self-service/logout/browser', { accept: 'text/html' })
    const id = new URL(page.headers.get('location')!).searchParams.get('id')
    for (const query of [`id=${id}`, `error=${id}`, `error=${id}&id=x`, `error=&id=${id}`]) {
      assert.equal((await client.get(`/self-service/errors?${query}`)).body.id, id, query)
    }
    assert.equal((await client.get('/self-service/errors?error=stub%3A500')).body.error.code, 500)
    assert.equal((await client.get(`/self-service/errors?error=x&id=${id}`)).status, 404)
  })
})
