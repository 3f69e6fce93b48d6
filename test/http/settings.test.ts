import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, isSignedIn, PASSWORD, type Person, signIn, signInNative } from '../helpers/client.ts'
import type { Scope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

const NEW_PASSWORD = 'another-Harbour-31'
const newEmail = () => `s${randomBytes(8).toString('hex')}@example.com`

/** An app that is signed in, with a settings flow. */
async function app(server: TestServer, person: Person) {
  const { token, sessionId } = await signInNative(server, person)
  const headers = { 'x-session-token': token }
  const client = new Client(server)
  const { id } = (await client.get('/self-service/settings/api', headers)).body
  const submit = (json: object) => client.send('POST', `/self-service/settings?flow=${id}`, { headers, json })
  return { headers, sessionId, client, flowId: id as string, submit, isIn: () => isSignedIn(client, headers) }
}

describe('settings', () => {
  let server: TestServer
  const endings: (() => Promise<void>)[] = []
  const scope: Scope = { after: (work) => void endings.push(work) }
  before(async () => {
    server = await testServer(scope)
  })
  after(async () => {
    for (const work of endings.reverse()) await work()
  })

  const configured = (config: object) =>
    testServer(scope, { db: server.db, config: config as { [key: string]: unknown } })
  const traitsOf = async ({ client, headers }: { client: Client; headers: Record<string, string> }) =>
    (await client.get('/sessions/whoami', headers)).body.identity.traits

  test('traits change, and the form shows what is stored', async () => {
    const own = await app(server, await createPerson(server))
    const email = newEmail()
    const { status, body } = await own.submit({ method: 'profile', traits: { email, name: { first: 'Ada' } } })
    assert.deepEqual([status, body.state, body.ui.messages[0].id], [200, 'success', 1050001])
    assert.deepEqual(
      body.ui.nodes.slice(1, 3).map((n: { attributes: { value: string } }) => n.attributes.value),
      [email, 'Ada'],
    )
    assert.deepEqual(await traitsOf(own), { email, name: { first: 'Ada' } })
    const again = (await own.client.get(`/self-service/settings/flows?id=${own.flowId}`, own.headers)).body
    assert.deepEqual([again.state, again.ui.messages[0].id], ['success', 1050001])
  })

  test('traits that break the schema are named at their input', async () => {
    const own = await app(server, await createPerson(server))
    const { status, body } = await own.submit({ method: 'profile', traits: { email: 'none' } })
    assert.equal(status, 400)
    const node = body.ui.nodes[1]
    assert.deepEqual(
      [node.attributes.name, node.attributes.value, node.messages[0].id],
      ['traits.email', 'none', 4000040],
    )
    assert.equal((await own.submit({ method: 'profile' })).body.ui.messages[0].id, 4000001)
  })

  test('an address of another identity is refused without revealing more than at registration', async () => {
    const [own, other] = [await app(server, await createPerson(server)), await createPerson(server)]
    const { status, body } = await own.submit({ method: 'profile', traits: { email: other.email } })
    assert.deepEqual([status, body.ui.messages[0].id], [400, 4000007])
  })

  test('an old session may change a name, but nothing that one signs in with', async () => {
    const old = await configured({ selfservice: { flows: { settings: { privileged_session_max_age: '1ms' } } } })
    const person = await createPerson(server)
    const own = await app(old, person)
    const name = { first: 'Ada' }
    assert.equal((await own.submit({ method: 'profile', traits: { email: person.email, name } })).status, 200)
    for (const json of [
      { method: 'profile', traits: { email: newEmail(), name } },
      { method: 'password', password: NEW_PASSWORD },
    ]) {
      const { status, body } = await own.submit(json)
      assert.deepEqual([status, body.error.id], [403, 'session_refresh_required'])
    }
    assert.deepEqual(await traitsOf(own), { email: person.email, name })
    await signInNative(server, person)
  })

  test('a browser with an old session is sent to sign in again and back', async () => {
    const old = await configured({ selfservice: { flows: { settings: { privileged_session_max_age: '1ms' } } } })
    const client = new Client(old)
    await signIn(client, await createPerson(server))
    const flow = (await client.get('/self-service/settings/browser')).body
    const form = { method: 'password', password: NEW_PASSWORD, csrf_token: flow.ui.nodes[0].attributes.value }
    const path = `/self-service/settings?flow=${flow.id}`
    const reply = await client.send('POST', path, { headers: { accept: 'text/html' }, form })
    const to = new URL(reply.headers.get('location')!)
    assert.deepEqual([reply.status, to.pathname], [303, '/self-service/login/browser'])
    assert.deepEqual(
      [...to.searchParams],
      [
        ['refresh', 'true'],
        ['return_to', old.publicUrl + path],
      ],
    )
    assert.equal((await client.get(to.href)).body.refresh, true)
  })

  test('the old password again is no change', async () => {
    const own = await app(server, await createPerson(server))
    const { status, body } = await own.submit({ method: 'password', password: PASSWORD })
    assert.equal(status, 400)
    assert.deepEqual(
      body.ui.nodes.flatMap((n: { messages: { id: number }[] }) => n.messages.map(({ id }) => id)),
      [4000039],
    )
  })

  test('who is signed out while the new password is hashed changes nothing', async () => {
    const person = await createPerson(server)
    const own = await app(server, person)
    const { hasher } = server.deps
    const { hash } = hasher
    hasher.hash = async (password) => {
      hasher.hash = hash
      const hashed = await hash(password)
      await new Client(server).send('DELETE', `${server.adminUrl}/admin/sessions/${own.sessionId}`)
      return hashed
    }
    assert.equal((await own.submit({ method: 'password', password: NEW_PASSWORD })).status, 401)
    await signInNative(server, person)
  })

  for (const [ending, ownStays, otherStays] of [
    ['none', true, true],
    ['others', true, false],
    ['all', false, false],
  ] as const) {
    test(`a changed password ends sessions as configured: ${ending}`, async () => {
      const own = await configured({ lethe: { sessions: { end_on_password_change: ending } } })
      const person = await createPerson(server)
      const [other, here] = [await app(own, person), await app(own, person)]
      assert.equal((await here.submit({ method: 'password', password: NEW_PASSWORD })).status, 200)
      assert.deepEqual([await here.isIn(), await other.isIn()], [ownStays, otherStays])
      const events = sql(
        'test.ends_settings',
        "select cause from lethe.events where session_id = $1 and type = 'session.ended'",
      )
      const causes = await server.db.query(events, [other.sessionId])
      assert.deepEqual(causes, otherStays ? [] : [{ cause: 'credentials_changed' }])
      await signInNative(server, { ...person, password: NEW_PASSWORD })
    })
  }

  test('the flow of another identity cannot be read or submitted, and none without a session', async () => {
    const [own, stranger] = [
      await app(server, await createPerson(server)),
      await app(server, await createPerson(server)),
    ]
    const path = `/self-service/settings/flows?id=${own.flowId}`
    assert.deepEqual((await stranger.client.get(path, stranger.headers)).body.error.id, 'security_identity_mismatch')
    assert.equal((await stranger.client.get(path)).status, 401)
    assert.equal((await own.client.get(path, own.headers)).body.id, own.flowId)
  })

  test('without a second factor that is set up, nothing is shown or changed', async () => {
    const person = await createPerson(server)
    const own = await app(server, person)
    const raise = sql('test.aal', "update identities set available_aal = 'aal2' where id = $1")
    await server.db.query(raise, [person.identityId])
    for (const reply of [
      await own.client.get('/self-service/settings/api', own.headers),
      await own.client.get(`/self-service/settings/flows?id=${own.flowId}`, own.headers),
      await own.submit({ method: 'password', password: NEW_PASSWORD }),
    ]) {
      assert.deepEqual([reply.status, reply.body.error.id], [403, 'session_aal2_required'])
    }
    await signInNative(server, person)
  })

  test('a browser form without its token changes nothing', async () => {
    const [client, person] = [new Client(server), await createPerson(server)]
    await signIn(client, person)
    const flow = (await client.get('/self-service/settings/browser')).body
    for (const json of [
      { method: 'password', password: NEW_PASSWORD },
      { method: 'profile', traits: { email: newEmail() } },
    ]) {
      assert.equal((await client.send('POST', `/self-service/settings?flow=${flow.id}`, { json })).status, 403)
    }
    await signInNative(server, person)
  })

  test('an expired flow is replaced by one that says so', async () => {
    const short = await configured({ selfservice: { flows: { settings: { lifespan: '1ms' } } } })
    const own = await app(short, await createPerson(server))
    const gone = await own.client.get(`/self-service/settings/flows?id=${own.flowId}`, own.headers)
    assert.deepEqual([gone.status, gone.body.error.id], [410, 'self_service_flow_expired'])
    const { status, body } = await own.submit({ method: 'password', password: NEW_PASSWORD })
    assert.equal(status, 410)
    const read = sql(
      'test.settings_flow',
      "select ui -> 'messages' -> 0 ->> 'id' as id from selfservice_settings_flows where id = $1",
    )
    assert.deepEqual(await server.db.query(read, [body.use_flow_id]), [{ id: '4050001' }])
  })
})
