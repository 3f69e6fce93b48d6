import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { SECOND } from '../../src/kernel/base/clock.ts'
import { StoreUnavailable, sql } from '../../src/kernel/db/client.ts'
import { Client, isSignedIn, PASSWORD } from '../helpers/client.ts'
import { backends, type Scope } from '../helpers/db.ts'
import { type TestServer, testServer, WIRE_CONFIGS } from '../helpers/server.ts'

const FORM = { accept: 'text/html' }
const newEmail = () => `r${randomBytes(8).toString('hex')}@example.com`

interface Node {
  group: string
  attributes: { name: string; type: string; value?: unknown }
  messages: { id: number }[]
}

async function begin(client: Client, query = '') {
  const flow = (await client.get(`/self-service/registration/browser${query}`)).body
  const csrf_token: string = flow.ui.nodes[0].attributes.value
  return { flow, csrf_token, path: `/self-service/registration?flow=${flow.id}` }
}

const names = (flow: { ui: { nodes: Node[] } }) =>
  flow.ui.nodes.map(({ group, attributes: { name, type } }) => `${group}/${name}:${type}`)

const messageIds = (flow: { ui: { nodes: Node[] } }) =>
  flow.ui.nodes.flatMap(({ attributes, messages }) => messages.map(({ id }): [string, number] => [attributes.name, id]))

for (const backend of backends()) {
  describe(`registration on ${backend.name}`, () => {
    let server: TestServer
    const endings: (() => Promise<void>)[] = []
    const scope: Scope = { after: (work) => void endings.push(work) }
    before(async () => {
      server = await testServer(scope, { backend })
    })
    after(async () => {
      for (const work of endings.reverse()) await work()
    })

    interface Refusal {
      [member: string]: unknown
      data: { reason: string; left_out?: number }
    }

    const refusals = async () =>
      (await new Client(server).get(`${server.adminUrl}/admin/events?type=registration.refused`)).body as Refusal[]

    async function identitiesOf(email: string): Promise<number> {
      const read = sql('test.identities', "select count(*) as n from identities where traits ->> 'email' = $1")
      return (await server.db.query<{ n: number }>(read, [email]))[0]!.n
    }

    test('a registration that is refused is an event that says by which method and why, and nothing that was typed', async () => {
      const email = newEmail()
      const told = async (
        status: number,
        reason: string,
        form: object,
        change: (json: Record<string, unknown>) => void,
      ) => {
        const client = new Client(server)
        const { path, csrf_token } = await begin(client)
        const json = { method: 'password', password: PASSWORD, traits: { email }, csrf_token, ...form }
        change(json)
        const before = await refusals()
        assert.equal((await client.send('POST', path, { json })).status, status, reason)
        const more = (await refusals()).slice(0, -before.length || undefined)
        assert.deepEqual(
          more.map(({ data }) => data.reason),
          reason === '' ? [] : [reason],
        )
        return more[0]
      }
      const as = () => {}
      await told(200, '', {}, as)
      const taken = await told(400, 'identifier_taken', {}, as)
      const { id: _id, seq: _seq, time: _time, ...event } = taken!
      assert.deepEqual(event, {
        ...{ type: 'registration.refused', cause: null, session_id: null, identity_id: null, device: null },
        ...{ actor: { type: 'system' } },
        data: { flow: 'browser', method: 'password', reason: 'identifier_taken', messages: [4000007] },
      })
      await told(400, 'password_policy', { password: 'abc' }, as)
      await told(400, 'form', { traits: { email: 'no-address' } }, as)
      await told(400, 'no_method', {}, (json) => delete json.method)
      await told(403, 'security_csrf_violation', { csrf_token: 'x' }, as)
      const words = JSON.stringify(await refusals())
      for (const typed of [email, 'no-address', PASSWORD, '"abc"']) assert.ok(!words.includes(typed), typed)
      const unknown = await new Client(server).send('POST', `/self-service/registration?flow=${email}`, { json: {} })
      assert.equal(unknown.status, 400)
    })

    test('no more of them are written in a minute than the configuration allows; the next one counts the others', async (t) => {
      await server.reconfigure({ lethe: { events: { refused_registrations: 2 } } })
      t.after(() => server.reconfigure({}))
      const wall = server.deps.clock
      let ahead = 61 * SECOND
      const { now } = wall
      wall.now = () => now() + ahead
      t.after(() => {
        wall.now = now
      })
      const refuse = async () => {
        const client = new Client(server)
        const { path, csrf_token } = await begin(client)
        await client.send('POST', path, { json: { csrf_token } })
      }
      const before = (await refusals()).length
      for (let i = 0; i < 5; i++) await refuse()
      assert.equal((await refusals()).length, before + 2)
      ahead += 61 * SECOND
      await refuse()
      const [next] = await refusals()
      assert.equal(next?.data.left_out, 3)
      await server.reconfigure({ lethe: { events: { refused_registrations: 0 } } })
      await refuse()
      assert.equal((await refusals()).length, before + 3)
    })

    test('identity and session come to be together or not at all', async () => {
      const [client, email] = [new Client(server), newEmail()]
      const { path, csrf_token } = await begin(client)
      const { sessions } = server.deps
      const { issue } = sessions
      sessions.issue = async () => {
        sessions.issue = issue
        throw new StoreUnavailable('test')
      }
      const json = { method: 'password', password: PASSWORD, traits: { email }, csrf_token }

      const failed = await client.send('POST', path, { json })
      assert.deepEqual([failed.status, failed.setCookie, await identitiesOf(email)], [503, [], 0])
      assert.equal((await client.send('POST', path, { json })).status, 200)
      assert.deepEqual([await isSignedIn(client), await identitiesOf(email)], [true, 1])
    })

    test('of two who register one address at once, one is told that it is taken', async () => {
      const email = newEmail()
      const replies = await Promise.all(
        [email, ` ${email.toUpperCase()} `.trim()].map(async (address) => {
          const client = new Client(server)
          const { path, csrf_token } = await begin(client)
          const json = { method: 'password', password: PASSWORD, traits: { email: address }, csrf_token }
          return client.send('POST', path, { json })
        }),
      )
      const [winner, loser] = replies.sort((a, b) => a.status - b.status)
      assert.deepEqual([winner!.status, loser!.status], [200, 400])
      assert.equal(loser!.body.ui.messages[0].id, 4000007)
      assert.deepEqual(loser!.setCookie, [])
    })
  })
}

describe('registration', () => {
  let server: TestServer
  const endings: (() => Promise<void>)[] = []
  const scope: Scope = { after: (work) => void endings.push(work) }
  before(async () => {
    server = await testServer(scope)
  })
  after(async () => {
    for (const work of endings.reverse()) await work()
  })

  test('errors of the second screen stand at its password; values and screen stay', async () => {
    const [client, email] = [new Client(server), newEmail()]
    const { path, csrf_token } = await begin(client)
    const traits = { email, name: { first: 'Ada' } }
    await client.send('POST', path, { json: { method: 'profile', traits, csrf_token } })
    const json = { method: 'password', password: 'short', traits, csrf_token }
    const { status, body } = await client.send('POST', path, { json })
    assert.equal(status, 400)
    assert.deepEqual(messageIds(body), [['password', 4000032]])
    assert.deepEqual(names(body), [
      'default/csrf_token:hidden',
      'default/traits.email:hidden',
      'password/password:password',
      'default/traits.name.first:hidden',
      'default/traits.name.last:hidden',
      'password/method:submit',
      'profile/screen:submit',
    ])
    assert.equal(body.ui.nodes[3].attributes.value, 'Ada')
  })

  test('an input that was added for a message goes with the message', async () => {
    const [client, email] = [new Client(server), newEmail()]
    const { path, csrf_token, flow } = await begin(client)
    const json = { method: 'password', password: 'short', traits: { email }, csrf_token }
    const first = (await client.send('POST', path, { json })).body
    assert.ok(names(first).includes('default/password:text'))
    const second = await client.send('POST', path, {
      json: { method: 'password', password: PASSWORD, traits: {}, csrf_token },
    })
    assert.deepEqual(names(second.body), names(flow))
    assert.deepEqual(messageIds(second.body), [['traits.email', 4000002]])
  })

  test('a form without its token neither turns the page nor registers an identity', async () => {
    const [client, email] = [new Client(server), newEmail()]
    const { path, flow } = await begin(client)
    for (const json of [
      { method: 'profile', traits: { email } },
      { method: 'profile', screen: 'previous', traits: { email } },
      { method: 'password', password: PASSWORD, traits: { email } },
    ]) {
      assert.equal((await client.send('POST', path, { json })).status, 403)
    }
    const after = (await client.get(`/self-service/registration/flows?id=${flow.id}`)).body
    assert.deepEqual(names(after), names(flow))
    assert.equal(await isSignedIn(client), false)
  })

  test('a flow begun before registration was switched off registers no identity', async () => {
    const own = await testServer(scope, { db: server.db })
    const [client, email] = [new Client(own), newEmail()]
    const { path, csrf_token } = await begin(client)
    await own.reconfigure({ selfservice: { flows: { registration: { enabled: false } } } })
    const json = { method: 'password', password: PASSWORD, traits: { email }, csrf_token }
    const reply = await client.send('POST', path, { json })
    assert.deepEqual([reply.status, reply.body.error.id], [400, 'self_service_flow_disabled'])
    const page = await client.get('/self-service/registration/browser', FORM)
    assert.match(page.headers.get('location')!, /\/error\?id=/)
  })

  test('only schemas that are offered can be chosen', async () => {
    const own = await testServer(scope, { db: server.db, wireConfig: 'multi-schema' })
    const answers = ['rich', 'default', 'closed', 'nonesuch', 'cmljaA'].map(async (id) => {
      const { status, body } = await new Client(own).get(`/self-service/registration/api?identity_schema=${id}`)
      return [id, status, status === 200 ? body.identity_schema : body.error.reason]
    })
    assert.deepEqual(await Promise.all(answers), [
      ['rich', 200, 'rich'],
      ['default', 200, 'default'],
      ['closed', 400, 'Requested identity schema "closed" is not enabled for self-service flows.'],
      ['nonesuch', 400, 'Requested identity schema "nonesuch" does not exist.'],
      ['cmljaA', 400, 'Requested identity schema "cmljaA" does not exist.'],
    ])
  })

  test('form fields get the types of the schema', async () => {
    const own = await testServer(scope, { db: server.db, wireConfig: 'rich-schema' })
    const client = new Client(own)
    const { path, csrf_token } = await begin(client)
    const username = `u${randomBytes(6).toString('hex')}`
    const form: [string, string][] = [
      ['method', 'password'],
      ['password', PASSWORD],
      ['csrf_token', csrf_token],
      ['traits.username', username],
      ['traits.age', '42'],
      ['traits.score', '1.5'],
      ['traits.tags', 'a'],
      ['traits.tags', 'b'],
      ['traits.terms', 'false'],
      ['traits.terms', 'true'],
      ['traits.nick', ''],
    ]
    assert.equal((await client.send('POST', path, { headers: FORM, form })).status, 303)
    const { traits } = (await client.get('/sessions/whoami')).body.identity
    assert.deepEqual(traits, { username, age: 42, score: 1.5, tags: ['a', 'b'], terms: true, address: {} })
  })

  test('what cannot be made into its type is named at its input, and kept', async () => {
    const own = await testServer(scope, { db: server.db, wireConfig: 'rich-schema' })
    const client = new Client(own)
    const { path, csrf_token, flow } = await begin(client)
    const form = { method: 'password', password: PASSWORD, csrf_token, 'traits.username': 'x', 'traits.age': 'old' }
    assert.equal((await client.send('POST', path, { headers: FORM, form })).status, 302)
    const { body } = await client.get(`/self-service/registration/flows?id=${flow.id}`)
    assert.deepEqual(messageIds(body), [['traits.age', 4000026]])
    assert.equal(body.ui.nodes.find((n: Node) => n.attributes.name === 'traits.age').attributes.value, 'old')
  })

  for (const traits of [
    'text',
    7,
    [],
    [1],
    '{"email":',
    { email: { a: 1 } },
    JSON.parse('{"__proto__": {"email": "a@b.example"}}'),
  ]) {
    test(`traits that are none are refused with a message: ${JSON.stringify(traits)}`, async () => {
      const client = new Client(server)
      const { path, csrf_token } = await begin(client)
      const json = { method: 'password', password: PASSWORD, traits, csrf_token }
      const { status, body } = await client.send('POST', path, { json })
      assert.equal(status, 400)
      assert.notDeepEqual(messageIds(body), [])
    })
  }

  test('without the session hook there is no session at all', async () => {
    const own = await testServer(scope, { db: server.db, wireConfig: 'no-session-hook' })
    const [client, email] = [new Client(own), newEmail()]
    const { path, csrf_token } = await begin(client)
    const json = { method: 'password', password: PASSWORD, traits: { email }, csrf_token }
    const { identity } = (await client.send('POST', path, { json })).body
    const read = sql('test.sessions_registration', 'select id from sessions where identity_id = $1')
    assert.deepEqual(await server.db.query(read, [identity.id]), [])
  })

  test('the older name for the unified style counts too, and its group of the traits', async () => {
    assert.ok(WIRE_CONFIGS.default)
    const own = await testServer(scope, {
      db: server.db,
      config: {
        selfservice: { flows: { registration: { enable_legacy_one_step: true } } },
        feature_flags: { password_profile_registration_node_group: 'password' },
      },
    })
    const { flow } = await begin(new Client(own))
    assert.deepEqual(names(flow), [
      'default/csrf_token:hidden',
      'password/traits.email:email',
      'password/password:password',
      'password/traits.name.first:text',
      'password/traits.name.last:text',
      'password/method:submit',
    ])
  })
})
