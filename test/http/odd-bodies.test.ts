import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  Client,
  createPerson,
  freshCsrfToken,
  isSignedIn,
  type Person,
  signIn,
  signInNative,
} from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

describe('bodies that are not what they should be', () => {
  const scope = closingScope()
  let server: TestServer
  let person: Person
  before(async () => {
    server = await testServer(scope)
    person = await createPerson(server)
  })
  after(() => scope.close())

  const pathOf = (flow: { ui: { action: string } }) => new URL(flow.ui.action).pathname + new URL(flow.ui.action).search

  const forms: Record<string, () => Promise<{ path: string; body: object; headers: Record<string, string> }>> = {
    login: async () => ({
      path: pathOf((await new Client(server).get('/self-service/login/api')).body),
      body: { method: 'password', identifier: person.email, password: person.password },
      headers: {},
    }),
    'registration, first screen': async () => ({
      path: pathOf((await new Client(server).get('/self-service/registration/api')).body),
      body: { method: 'profile', traits: { email: 'somebody@example.org' } },
      headers: {},
    }),
    'registration by password': async () => ({
      path: pathOf((await new Client(server).get('/self-service/registration/api')).body),
      body: { method: 'password', password: person.password, traits: { email: 'somebody@example.org' } },
      headers: {},
    }),
    'settings, password': () => settings({ method: 'password', password: 'another-quiet-Harbour-9' }),
    'settings, profile': () => settings({ method: 'profile', traits: { email: person.email } }),
  }

  async function settings(body: object) {
    const headers = { 'x-session-token': (await signInNative(server, person)).token }
    const flow = (await new Client(server).get('/self-service/settings/api', headers)).body
    return { path: pathOf(flow), body, headers }
  }

  const WRONG: [payload: unknown, actual: string][] = [
    [[], 'array'],
    [[{}], 'array'],
    [5, 'number'],
    [true, 'boolean'],
    ['hello', 'string'],
    ['[1]', 'array'],
    ['null', 'null'],
  ]

  for (const [name, begin] of Object.entries(forms)) {
    test(`${name}: a transient_payload that is no object is 400 with the form, and nothing is done`, async () => {
      for (const [transient_payload, actual] of WRONG) {
        const { path, body, headers } = await begin()
        const client = new Client(server)
        const reply = await client.send('POST', path, { json: { ...body, transient_payload }, headers })
        assert.equal(reply.status, 400, `${JSON.stringify(transient_payload)}: ${reply.text}`)
        const node = reply.body.ui.nodes.find((n: any) => n.attributes.name === 'transient_payload')
        const text = `expected object, but got ${actual}`
        const context = { allowed_types: ['object'], actual_type: actual }
        assert.deepEqual(node.messages, [{ id: 4000026, text, type: 'error', context }])
        assert.equal(Object.hasOwn(reply.body, 'transient_payload'), false)
      }
      const found = await new Client(server).get(
        `${server.adminUrl}/admin/identities?credentials_identifier=somebody@example.org`,
      )
      assert.deepEqual(found.body, [])
    })
  }

  test('one that is null, empty, or an object as text is taken', async () => {
    for (const transient_payload of [null, '', {}, '{"a":1}']) {
      const { path, body } = await forms.login!()
      const reply = await new Client(server).send('POST', path, { json: { ...body, transient_payload } })
      assert.equal(reply.status, 200, reply.text)
    }
  })

  test('null as a whole body is an object without members', async () => {
    const admin = (method: string, path: string) =>
      new Client(server).send(method, `${server.adminUrl}/admin${path}`, { json: null })
    const missing = await admin('POST', '/identities')
    assert.equal(missing.status, 400)
    assert.match(missing.text, /missing properties/)
    assert.deepEqual((await admin('PATCH', '/identities')).body, { identities: [] })
    const native = await new Client(server).send('DELETE', '/self-service/logout/api', { json: null })
    assert.deepEqual([native.status, native.body.error.code], [403, 403])
    for (const json of [5, [], 'x', true]) {
      assert.equal((await new Client(server).send('DELETE', '/self-service/logout/api', { json })).status, 400)
    }
  })

  test('an item of a batch without anything to do gets an object', async () => {
    const json = { identities: [null, {}, { patch_id: '00000000-0000-4000-8000-000000000001' }, { create: null }] }
    const reply = await new Client(server).send('PATCH', `${server.adminUrl}/admin/identities`, { json })
    assert.equal(reply.status, 200, reply.text)
    for (const item of reply.body.identities) assert.deepEqual([item.action, item.error.code], ['error', 400])
    assert.equal(reply.body.identities[2].patch_id, json.identities[2]!.patch_id)
  })
})

describe('a logout whose words are not understood', () => {
  const scope = closingScope()
  let server: TestServer
  let person: Person
  before(async () => {
    server = await testServer(scope)
    person = await createPerson(server)
  })
  after(() => scope.close())

  const ID = '11111111-1111-4111-8111-111111111111'
  const BODIES: unknown[] = [
    ...[{ sessions: [ID] }, { session_id: ID }, { ids: [ID] }, { sessionIds: [ID] }, { scopes: 'others' }],
    ...[{ Scope: 'others' }, { 'session_ids[]': [ID] }, { scope: 'everything' }, { scope: ['all'] }, { scope: null }],
    ...[{ session_ids: [] }, { session_ids: ID }, { session_ids: ['x'] }, { session_ids: null }, { token: 'x' }],
    ...[{ session_ids: [ID], scope: 'others' }, { session_ids: [ID], scope: 'current' }, { __proto__x: 1 }],
    ...[null, [], 5, 'current', true],
  ]

  test('JSON: 400, and nothing ends', async () => {
    const { token } = await signInNative(server, person)
    for (const json of BODIES) {
      const headers = { 'x-session-token': token }
      const reply = await new Client(server).send('POST', '/self-service/logout', { json, headers })
      assert.equal(reply.status, 400, `${JSON.stringify(json)}: ${reply.text}`)
    }
    for (const query of ['scope=others', 'session_ids=x', 'return_to=%2F', 'x']) {
      const headers = { 'x-session-token': token }
      assert.equal((await new Client(server).send('POST', `/self-service/logout?${query}`, { headers })).status, 400)
    }
    assert.equal(await isSignedIn(new Client(server), { 'x-session-token': token }), true)
  })

  test('a form: 400, and nothing ends', async () => {
    const browser = new Client(server)
    await signIn(browser, person)
    const forms: [string, string][][] = [
      [['session_ids[]', ID]],
      [['sessions', ID]],
      [
        ['session_ids', ID],
        ['scope', 'others'],
      ],
      [
        ['scope', 'others'],
        ['scope', 'all'],
      ],
      [['session_ids', '']],
    ]
    for (const fields of forms) {
      const form: [string, string][] = [['csrf_token', await freshCsrfToken(browser)], ...fields]
      const reply = await browser.send('POST', '/self-service/logout', { form })
      assert.equal(reply.status, 400, `${JSON.stringify(fields)}: ${reply.text}`)
    }
    assert.equal(await isSignedIn(browser), true)
    const form = { csrf_token: await freshCsrfToken(browser), scope: '', return_to: '' }
    assert.equal((await browser.send('POST', '/self-service/logout', { form })).status, 200)
    assert.equal(await isSignedIn(browser), false)
  })
})
