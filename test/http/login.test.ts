import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { StoreUnavailable, sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, isSignedIn, type Person, signIn, signInNative } from '../helpers/client.ts'
import type { Scope } from '../helpers/db.ts'
import { linkApp } from '../helpers/second-factor.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const FORM = { accept: 'text/html' }
const ERROR_PAGE = /^http:\/\/127\.0\.0\.1:4455\/error\?id=/

// Each has another text, and a name stands for one.
const count = (text: string) => ({ name: '', text: `select count(*) as n from ${text}` })

async function rows(server: TestServer, text: string): Promise<number> {
  return (await server.db.query<{ n: number }>(count(text)))[0]!.n
}

async function begin(client: Client, query = '') {
  const flow = (await client.get(`/self-service/login/browser${query}`)).body
  const csrf_token: string = flow.ui.nodes[0].attributes.value
  return { flow, csrf_token, path: `/self-service/login?flow=${flow.id}` }
}

const proof = ({ email, password }: Person, csrf_token: string) => ({
  method: 'password',
  identifier: email,
  password,
  csrf_token,
})

describe('login', () => {
  let server: TestServer
  const endings: (() => Promise<void>)[] = []
  const scope: Scope = { after: (work) => void endings.push(work) }
  before(async () => {
    server = await testServer(scope)
  })
  after(async () => {
    for (const work of endings.reverse()) await work()
  })

  /** Does `work` once, in the moment when the password has been checked and nothing is written yet. */
  function whilePasswordIsChecked(work: () => Promise<unknown>) {
    const { hasher } = server.deps
    const { verify } = hasher
    hasher.verify = async (password, hash) => {
      hasher.verify = verify
      const fits = await verify(password, hash)
      await work()
      return fits
    }
  }

  test('a session that ends while its owner proves it anew stays ended', async () => {
    const [client, person] = [new Client(server), await createPerson(server)]
    const { sessionId } = await signIn(client, person)
    const { path, csrf_token } = await begin(client, '?refresh=true')
    whilePasswordIsChecked(() => new Client(server).send('DELETE', `${server.adminUrl}/admin/sessions/${sessionId}`))

    const reply = await client.send('POST', path, { json: proof(person, csrf_token) })

    assert.equal(reply.status, 401)
    assert.equal(reply.body.error.id, 'session_inactive')
    assert.deepEqual(reply.setCookie, [])
    assert.equal(await isSignedIn(client), false)
  })

  test('a database that fails while the session begins: 503, no cookie, nothing left behind', async () => {
    const [client, person] = [new Client(server), await createPerson(server)]
    const { path, csrf_token } = await begin(client)
    const before = await rows(server, 'sessions')
    const { sessions } = server.deps
    const { issue } = sessions
    sessions.issue = async (...input) => {
      sessions.issue = issue
      await issue(...input)
      throw new StoreUnavailable('test')
    }

    const reply = await client.send('POST', path, { json: proof(person, csrf_token) })

    assert.equal(reply.status, 503)
    assert.deepEqual(reply.setCookie, [])
    assert.equal(await rows(server, 'sessions'), before)
  })

  test('an identifier that no column could hold belongs to no account, and costs no hash', async () => {
    const client = new Client(server)
    const { path, csrf_token } = await begin(client)
    const { identities } = server.deps
    const { findByPasswordIdentifier } = identities
    let asked = 0
    identities.findByPasswordIdentifier = (identifier) => {
      asked += 1
      return findByPasswordIdentifier(identifier)
    }
    for (const identifier of ['a'.repeat(256), `a${' '.repeat(50_000)}a`, 'İ'.repeat(30_000), '😀'.repeat(256)]) {
      const json = { method: 'password', identifier, password: 'x', csrf_token }
      const reply = await client.send('POST', path, { json })
      assert.equal(reply.status, 400)
      assert.equal(reply.body.ui.messages[0].id, 4000006)
    }
    assert.equal(asked, 0)
    identities.findByPasswordIdentifier = findByPasswordIdentifier
  })

  test('what a proxy header says of the host does not get into the flow', async () => {
    const headers = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'gopher' }
    const { text } = await new Client(server).get('/self-service/login/browser', headers)
    assert.doesNotMatch(text, /evil\.test|gopher/)
  })

  test('no password and no session token is ever stored with a flow', async () => {
    const [client, person] = [new Client(server), await createPerson(server)]
    const { path, csrf_token } = await begin(client)
    const wrong = 'never-to-be-written-down-1'
    for (const body of [{ ...proof(person, csrf_token), password: wrong }, proof(person, csrf_token)]) {
      await client.send('POST', path, { json: { ...body, transient_payload: { secret: wrong } } })
    }
    const leaks = `selfservice_login_flows f where f::text like '%${wrong}%' or f::text like '%${person.password}%'
      or f::text like '%ory_st_%'`
    assert.equal(await rows(server, leaks), 0)
    assert.equal(server.logs().includes(wrong), false)
  })

  test('a form without its token leaves nothing in the flow, nor does a text too long to keep', async () => {
    const client = new Client(server)
    const { path, flow, csrf_token } = await begin(client)
    const shown = async () => (await client.get(`/self-service/login/flows?id=${flow.id}`)).body.ui.nodes[1]
    const json = { method: 'password', identifier: 'planted' }
    assert.equal((await client.send('POST', path, { json })).status, 403)
    assert.equal((await shown()).attributes.value, '')
    const long = { ...json, identifier: 'x'.repeat(10_000), csrf_token }
    assert.equal((await client.send('POST', path, { json: long })).status, 400)
    assert.equal((await shown()).attributes.value, '')
  })

  test('a transient payload comes back with the form', async () => {
    const [client, person] = [new Client(server), await createPerson(server)]
    const { path, csrf_token } = await begin(client)
    const json = { ...proof(person, csrf_token), password: 'wrong', transient_payload: { from: 'test' } }
    assert.deepEqual((await client.send('POST', path, { json })).body.transient_payload, { from: 'test' })
    assert.equal(
      'transient_payload' in (await client.get(`/self-service/login/flows?id=${path.split('=')[1]}`)).body,
      false,
    )
  })

  test('GET on the submit address is told so in the form; HEAD changes nothing', async () => {
    const client = new Client(server)
    const { path, flow } = await begin(client)
    assert.equal((await client.send('HEAD', path)).status, 405)
    assert.equal((await client.get(`/self-service/login/flows?id=${flow.id}`)).body.ui.messages, undefined)
    const reply = await client.get(path)
    assert.equal(reply.status, 400)
    assert.match(reply.body.ui.messages[0].text, /"GET" but only \[POST PUT PATCH\]/)
  })

  test('a login for an OAuth2 server that is not configured is refused, not done without it', async () => {
    for (const path of ['browser', 'api']) {
      for (const kind of ['login', 'registration']) {
        const reply = await new Client(server).get(`/self-service/${kind}/${path}?login_challenge=abc`)
        assert.deepEqual([kind, path, reply.status, reply.body.error.id], [kind, path, 500, 'invalid_configuration'])
      }
    }
  })

  test('an identity that is disabled: 401 for scripts and apps, the error page for browsers', async () => {
    const [client, person] = [new Client(server), await createPerson(server)]
    const disabled = [{ op: 'replace', path: '/state', value: 'inactive' }]
    const admin = `${server.adminUrl}/admin/identities/${person.identityId}`
    assert.equal((await client.send('PATCH', admin, { json: disabled })).status, 200)
    const { path, csrf_token } = await begin(client)
    const scripted = await client.send('POST', path, { json: proof(person, csrf_token) })
    assert.deepEqual([scripted.status, scripted.body.error.reason], [401, 'This account was disabled.'])
    const page = await client.send('POST', path, { headers: FORM, form: proof(person, csrf_token) })
    assert.equal(page.status, 303)
    assert.match(page.headers.get('location')!, ERROR_PAGE)
    const native = (await new Client(server).get('/self-service/login/api')).body.id
    const form = { method: 'password', identifier: person.email, password: person.password }
    const app = await new Client(server).send('POST', `/self-service/login?flow=${native}`, { headers: FORM, form })
    assert.deepEqual([app.status, app.body.error.details], [401, { identity_id: person.identityId }])
  })

  test('without the second factor that is set up, the password alone reveals nothing and leads there', async () => {
    const [client, person] = [new Client(server), await createPerson(server)]
    await linkApp(server, person)
    const { path, csrf_token } = await begin(client, '?return_to=http%3A%2F%2F127.0.0.1%3A4455%2Fback')
    const to = `${server.publicUrl}/self-service/login/browser?aal=aal2&return_to=http%3A%2F%2F127.0.0.1%3A4455%2Fback`
    const page = await client.send('POST', path, { headers: FORM, form: proof(person, csrf_token) })
    assert.deepEqual([page.status, page.headers.get('location')], [303, to])
    assert.equal((await client.get('/sessions/whoami')).status, 403)

    const script = new Client(server)
    const second = await begin(script)
    const reply = await script.send('POST', second.path, { json: proof(person, second.csrf_token) })
    assert.deepEqual([reply.status, reply.body.error.id], [422, 'browser_location_change_required'])
    assert.equal(reply.body.redirect_browser_to, `${server.publicUrl}/self-service/login/browser?aal=aal2`)
    const flow = (await new Client(server).get('/self-service/login/api')).body.id
    const json = { method: 'password', identifier: person.email, password: person.password }
    const app = await new Client(server).send('POST', `/self-service/login?flow=${flow}`, { json })
    assert.equal(app.status, 200)
    assert.equal(app.body.session.identity, null)
  })

  test('an imported hash becomes one of the configured kind at the first login, unless the password changed', async () => {
    const password = 'Ebbe-und-Flut-1893'
    const hash = pbkdf2Sync(password, 'salt-of-old', 1000, 32, 'sha256')
    const part = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
    const imported = `$pbkdf2-sha256$i=1000,l=32$${part(Buffer.from('salt-of-old'))}$${part(hash)}`
    const person = { ...(await createPerson(server)), password }
    const storedHash = async () => {
      const read = sql(
        'test.hash',
        `select config ->> 'hashed_password' as hash from identity_credentials
        where identity_id = $1 and config ? 'hashed_password'`,
      )
      return (await server.db.query<{ hash: string }>(read, [person.identityId]))[0]!.hash
    }
    const set = (value: string) =>
      server.db.query(
        sql(
          'test.set_hash',
          `update identity_credentials set config = jsonb_build_object('hashed_password', $2::text)
          where identity_id = $1 and config ? 'hashed_password'`,
        ),
        [person.identityId, value],
      )

    await set(imported)
    whilePasswordIsChecked(() => set('$2a$04$changed.meanwhile'))
    await assert.rejects(signInNative(server, person), /not signed in: 400/)
    assert.equal(await storedHash(), '$2a$04$changed.meanwhile')

    await set(imported)
    await signInNative(server, person)
    assert.match(await storedHash(), /^\$2[aby]\$/)
    await signInNative(server, person)
  })

  test('a hook that asks for a verified address: 403 for scripts, a message for people, entry when verified', async () => {
    const hooked = await testServer(scope, {
      db: server.db,
      config: {
        selfservice: { flows: { login: { after: { password: { hooks: [{ hook: 'require_verified_address' }] } } } } },
      },
    })
    const [client, person] = [new Client(hooked), await createPerson(hooked)]
    const { path, csrf_token, flow } = await begin(client)
    const scripted = await client.send('POST', path, { json: proof(person, csrf_token) })
    assert.deepEqual([scripted.status, scripted.body.error.id], [403, 'session_verified_address_required'])
    const page = await client.send('POST', path, { headers: FORM, form: proof(person, csrf_token) })
    assert.equal(page.headers.get('location'), `http://127.0.0.1:4455/login?flow=${flow.id}`)
    const shown = (await client.get(`/self-service/login/flows?id=${flow.id}`)).body
    assert.equal(shown.ui.messages[0].id, 4000010)
    const verify = 'update identity_verifiable_addresses set verified = true where identity_id = $1'
    await hooked.db.query(sql('test.verify', verify), [person.identityId])
    assert.equal((await client.send('POST', path, { json: proof(person, csrf_token) })).status, 200)
  })

  test('an expired flow that asked for a refresh is replaced by one that asks for it too', async () => {
    const short = await testServer(scope, { db: server.db, wireConfig: 'short-flows' })
    const [client, person] = [new Client(short), await createPerson(short)]
    const { token } = await signInNative(server, person)
    const headers = { 'x-session-token': token }
    const old = (await client.get('/self-service/login/api?refresh=true', headers)).body
    const reply = await client.send('POST', `/self-service/login?flow=${old.id}`, { headers, json: {} })
    assert.equal(reply.status, 410)
    const read = sql('test.flow', 'select forced, request_url from selfservice_login_flows where id = $1')
    assert.deepEqual(await server.db.query(read, [reply.body.use_flow_id]), [
      { forced: true, request_url: old.request_url },
    ])
  })
})
