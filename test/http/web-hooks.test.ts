import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Client, createPerson, type Person } from '../helpers/client.ts'
import { closingScope } from '../helpers/db.ts'
import { lastCode } from '../helpers/messages.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

interface Call {
  path: string
  headers: IncomingMessage['headers']
  body: any
}

type Answer = (res: ServerResponse, call: Call) => void

const say =
  (status: number, body?: unknown, headers: Record<string, string> = {}): Answer =>
  (res) =>
    res.writeHead(status, headers).end(body === undefined ? '' : JSON.stringify(body))

const drip: Answer = (res) => {
  res.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => res.write(' '), 20)
  res.on('close', () => clearInterval(timer))
}

const WHOLE = `base64://${Buffer.from('function(ctx) ctx').toString('base64')}`
const PASSWORD = 'Xq7-lethe-Wire-92'

describe('web hooks', () => {
  const scope = closingScope()
  let server: TestServer
  let calls: Call[] = []
  let answer: Answer = say(204)
  let base = ''
  before(async () => {
    const receiver = createServer((req, res) => {
      const parts: Buffer[] = []
      req.on('data', (part: Buffer) => parts.push(part))
      req.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8')
        const call = { path: req.url!, headers: req.headers, body: text === '' ? undefined : JSON.parse(text) }
        calls.push(call)
        answer(res, call)
      })
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
    scope.after(async () => {
      receiver.closeAllConnections()
      await new Promise((resolve) => receiver.close(resolve))
    })
    server = await testServer(scope, { wireConfig: 'recovery-continue' })
  })
  after(() => scope.close())

  const hook = (path: string, more: object = {}) => ({
    hook: 'web_hook',
    config: { url: `${base}${path}`, method: 'POST', body: WHOLE, ...more },
  })

  async function configured(flows: object, lethe: object = {}) {
    calls = []
    answer = say(204)
    await server.reconfigure({
      selfservice: { flows },
      lethe: { web_hooks: { timeout: '10s', cookies: [], ...lethe } },
    })
  }

  async function signIn(person: Person, headers: Record<string, string> = {}) {
    const client = new Client(server)
    const flow = (await client.get('/self-service/login/api')).body
    const json = { method: 'password', identifier: person.email, password: person.password }
    return client.send('POST', `/self-service/login?flow=${flow.id}`, { json, headers })
  }

  async function register(email: string) {
    const client = new Client(server)
    const flow = (await client.get('/self-service/registration/api')).body
    const json = { method: 'password', password: PASSWORD, traits: { email } }
    return client.send('POST', `/self-service/registration?flow=${flow.id}`, { json })
  }

  const afterLogin = (...hooks: object[]) => ({ login: { after: { password: { hooks } } } })
  const afterRegistration = (...hooks: object[]) => ({ registration: { after: { password: { hooks } } } })

  test('a receiver that hangs costs the flow its one deadline, and no session begins', async () => {
    await configured(afterLogin(hook('/a'), hook('/b')), { timeout: '1s' })
    answer = () => {}
    const person = await createPerson(server)
    const reply = await signIn(person)
    assert.deepEqual([reply.status, reply.body.error.code], [504, 504])
    // Whether a slow machine gets as far as the first one does not matter.
    assert.ok(!calls.some(({ path }) => path === '/b'), 'the second is called although the time is over')
    assert.deepEqual(
      (await new Client(server).get(`${server.adminUrl}/admin/identities/${person.identityId}/sessions`)).body,
      [],
    )
  })

  test('tries of one call share their trigger id, and an address in a redirect gets nothing', async () => {
    await configured(afterLogin(hook('/a')))
    answer = (res, call) => {
      const first = calls.filter(({ path }) => path === call.path).length === 1
      say(first ? 503 : 307, undefined, { location: `${base}/elsewhere` })(res, call)
    }
    const reply = await signIn(await createPerson(server))
    assert.equal(reply.status, 502)
    assert.deepEqual(
      calls.map(({ path }) => path),
      ['/a', '/a'],
    )
    const [first, second] = calls.map(({ headers }) => headers)
    assert.equal(first!['ory-webhook-trigger-id'], second!['ory-webhook-trigger-id'])
    assert.equal(first!['idempotency-key'], first!['ory-webhook-trigger-id'])
    assert.notEqual(first!['ory-webhook-request-id'], second!['ory-webhook-request-id'])
  })

  test('receivers see headers and cookies by name only', async () => {
    await configured(afterLogin(hook('/a')), { cookies: ['theme'] })
    const person = await createPerson(server)
    const client = new Client(server)
    const flow = (await client.get('/self-service/login/browser')).body
    const json = {
      method: 'password',
      identifier: person.email,
      password: person.password,
      csrf_token: flow.ui.nodes[0].attributes.value,
    }
    const cookie = `${client.jar.header('/')}; theme=dark`
    const headers = { 'user-agent': 'phone', 'x-secret': 'y', cookie }
    assert.equal((await client.send('POST', `/self-service/login?flow=${flow.id}`, { json, headers })).status, 200)
    const { request_headers, request_cookies } = calls[0]!.body
    assert.deepEqual(request_headers['User-Agent'], ['phone'])
    assert.deepEqual(
      Object.keys(request_headers).filter((name) => /secret|cookie/i.test(name)),
      [],
    )
    assert.deepEqual(request_cookies, { theme: 'dark' })
  })

  test('one that refuses keeps anything from being stored, one that comes after is told of what is', async () => {
    const refuses = hook('/refuses', { can_interrupt: true })
    await configured(afterRegistration(refuses, hook('/told'), { hook: 'session' }))
    const email = `hooked-${Date.now()}@example.com`
    answer = say(400, {
      messages: [{ instance_ptr: '#/traits/email', messages: [{ id: 7, text: 'no', type: 'error' }] }],
    })
    const refused = await register(email)
    assert.equal(refused.status, 400)
    const input = refused.body.ui.nodes.find((node: any) => node.attributes.name === 'traits.email')
    assert.deepEqual(input.messages, [{ id: 7, text: 'no', type: 'error' }])
    const events = await new Client(server).get(`${server.adminUrl}/admin/events?type=registration.refused`)
    assert.deepEqual(events.body[0].data, { flow: 'api', method: 'password', reason: 'web_hook', messages: [7] })
    assert.deepEqual(
      calls.map(({ path }) => path),
      ['/refuses'],
    )

    calls = []
    answer = (res, call) => say(call.path === '/told' ? 404 : 204)(res, call)
    const done = await register(email)
    assert.equal(done.status, 200, 'whoever is registered is told so, whatever a receiver answers by then')
    const [asked, told] = calls.map(({ body }) => body)
    assert.equal(asked.identity.id, '00000000-0000-0000-0000-000000000000')
    assert.equal(asked.new_identity_id, done.body.identity.id)
    assert.equal(told.identity.id, done.body.identity.id)
    assert.match(server.logs(), /a web hook failed/)
  })

  test('one that refuses at length is heard, also where its text is cut within a character', async () => {
    await configured(afterRegistration(hook('/a', { can_interrupt: true })))
    answer = say(400, { messages: [{ messages: [{ id: 7, text: `x${'😀'.repeat(9000)}`, type: 'error' }] }] })
    const { status, body } = await register(`cut-${Date.now()}@example.com`)
    assert.deepEqual([status, body.ui?.messages[0].id], [400, 7])
  })

  test('a form that is sent again while a hook is slow gets the answer of the first; another form gets its own', async () => {
    for (const more of [{ can_interrupt: true }, {}]) {
      await configured(afterRegistration(hook('/slow', more), { hook: 'session' }))
      let release = () => {}
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      answer = (res) => void held.then(() => res.writeHead(204).end())
      const client = new Client(server)
      const flow = (await client.get('/self-service/registration/api')).body
      const submit = (password = PASSWORD) => {
        const json = { method: 'password', password, traits: { email } }
        return client.send('POST', `/self-service/registration?flow=${flow.id}`, { json })
      }
      const email = `again-${Date.now()}@example.com`
      const first = submit()
      while (calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      const [again, other] = [submit(), submit(`${PASSWORD}-other`)]
      if (more.can_interrupt) while (calls.length === 1) await new Promise((resolve) => setTimeout(resolve, 10))
      else assert.equal((await other).body.ui.messages[0].id, 4000007)
      release()
      const [one, two, three] = await Promise.all([first, again, other])
      const registered = [one, two, three].filter(({ status }) => status === 200)
      assert.ok(one.status === two.status && one.body.session_token === two.body.session_token)
      assert.equal(new Set(registered.map(({ body }) => body.identity.id)).size, 1)
      for (const { status, body } of [three]) assert.ok(status === 200 || body.ui.messages[0].id === 4000007)
      assert.equal(calls.length, more.can_interrupt ? 2 : 1)
    }
  })

  test('a flow that is refused before it begins answers one document with what the receiver says', async () => {
    await configured({ login: { before: { hooks: [hook('/before', { can_interrupt: true })] } } })
    answer = say(403, {
      messages: [{ instance_ptr: '#/', messages: [{ id: 8, text: 'closed today', type: 'error' }] }],
    })
    const reply = await new Client(server).get('/self-service/login/api')
    assert.deepEqual([reply.status, reply.body.error.id], [400, 'self_service_flow_refused'])
    assert.equal(reply.body.error.reason, 'closed today')
    assert.deepEqual(reply.body.error.details.messages, [{ id: 8, text: 'closed today', type: 'error' }])
    await configured({ login: { before: { hooks: [] } } })
  })

  /** An app that proves an address by a code. */
  async function prove(kind: 'recovery' | 'verification', { email }: Person) {
    const client = new Client(server)
    const { id } = (await client.get(`/self-service/${kind}/api`)).body
    const path = `/self-service/${kind}?flow=${id}`
    await client.send('POST', path, { json: { method: 'code', email } })
    const code = await lastCode(server, email, `${kind}_code`)
    return client.send('POST', path, { json: { code, transient_payload: { of: 'mine' } } })
  }
  const adminGet = async ({ identityId }: Person, below = '') =>
    (await new Client(server).get(`${server.adminUrl}/admin/identities/${identityId}${below}`)).body
  const NO = { messages: [{ instance_ptr: '#/', messages: [{ id: 9, text: 'not you', type: 'error' }] }] }

  test('one after recovery that refuses keeps the session from beginning', async () => {
    await configured({ recovery: { after: { hooks: [hook('/a', { can_interrupt: true })] } } })
    const person = await createPerson(server)
    answer = say(400, NO)
    const refused = await prove('recovery', person)
    assert.notEqual(refused.body.state, 'passed_challenge')
    assert.match(JSON.stringify(refused.body), /not you/)
    assert.deepEqual(await adminGet(person, '/sessions'), [])
    const { flow, identity } = calls[0]!.body
    assert.deepEqual(
      [flow.state, flow.transient_payload, identity.id],
      ['passed_challenge', { of: 'mine' }, person.identityId],
    )

    answer = say(204)
    assert.equal((await prove('recovery', person)).body.state, 'passed_challenge')
    assert.equal((await adminGet(person, '/sessions')).length, 1)
    await configured({ recovery: { after: { hooks: [] } } })
  })

  test('one after recovery is not called for a disabled identity', async () => {
    await configured({ recovery: { after: { hooks: [hook('/a', { can_interrupt: true })] } } })
    const person = await createPerson(server)
    const patch = [{ op: 'replace', path: '/state', value: 'inactive' }]
    const admin = new Client(server)
    await admin.send('PATCH', `${server.adminUrl}/admin/identities/${person.identityId}`, { json: patch })
    const { status } = await prove('recovery', person)
    assert.deepEqual([status, calls], [401, []])
    await configured({ recovery: { after: { hooks: [] } } })
  })

  test('one after verification that refuses leaves the address as it was', async () => {
    await configured({ verification: { after: { hooks: [hook('/a', { can_interrupt: true })] } } })
    const person = await createPerson(server)
    answer = say(400, NO)
    assert.match(JSON.stringify((await prove('verification', person)).body), /not you/)
    assert.equal((await adminGet(person)).verifiable_addresses[0].verified, false)
    assert.equal(calls[0]!.body.identity.verifiable_addresses[0].verified, true, 'the identity as it will be')

    answer = say(204)
    assert.equal((await prove('verification', person)).body.state, 'passed_challenge')
    assert.equal((await adminGet(person)).verifiable_addresses[0].verified, true)
    await configured({ verification: { after: { hooks: [] } } })
  })

  for (const kind of ['recovery', 'verification']) {
    test(`one before ${kind} that refuses keeps the flow from beginning`, async () => {
      await configured({ [kind]: { before: { hooks: [hook('/a', { can_interrupt: true })] } } })
      answer = say(403, NO)
      const reply = await new Client(server).get(`/self-service/${kind}/api`)
      assert.deepEqual([reply.status, reply.body.error.id], [400, 'self_service_flow_refused'])
      assert.equal(calls[0]!.body.flow.type, 'api')
      await configured({ [kind]: { before: { hooks: [] } } })
    })
  }

  for (const [what, body] of [
    ['no JSON', 'fine'],
    ['too many values', JSON.stringify({ identity: { traits: { list: Array(30_000).fill(1) } } })],
    ['a list where traits belong', '{"identity":{"traits":[1]}}'],
    ['a state that there is not', '{"identity":{"state":"asleep"}}'],
    ['a list where the identity belongs', '{"identity":[]}'],
    ['a number where the schema belongs', '{"identity":{"schema_id":1}}'],
    ['a list of addresses that are none', '{"identity":{"verifiable_addresses":[1]}}'],
    ['a list', '[]'],
    ['nothing', ''],
    ['too many levels', `{"identity":${'{"a":'.repeat(5000)}1${'}'.repeat(5001)}`],
    ['half a document', '{"identity":{"traits":{"email":"a@b'],
    ['a byte that is no text', Buffer.from([0x7b, 0xff, 0x7d])],
    ['more than is read', JSON.stringify({ identity: { traits: { email: 'x'.repeat(2_000_000) } } })],
    ['what is compressed, a thousand times smaller', gzipSync(Buffer.alloc(20_000_000, ' '))],
  ] as [string, string | Buffer][]) {
    test(`an answer that holds ${what} is an error of the receiver, and no identity is registered`, async () => {
      await configured(afterRegistration(hook('/a', { response: { parse: true } })))
      const packed = Buffer.isBuffer(body) && body.length > 100 ? { 'content-encoding': 'gzip' } : {}
      answer = (res) => res.writeHead(200, packed).end(body)
      const email = `lies-${Date.now()}@example.com`
      const reply = await register(email)
      assert.deepEqual([reply.status, reply.body.error?.code], [502, 502])
      const found = await new Client(server).get(`${server.adminUrl}/admin/identities?credentials_identifier=${email}`)
      assert.deepEqual(found.body, [])
    })
  }

  for (const [what, behave] of [
    ['a refusal without messages', say(400, {})],
    ['a refusal whose messages are no list', say(422, { messages: 'no' })],
    ['a refusal whose messages are none', say(400, { messages: [{ messages: [] }, 1, null] })],
    ['a redirect to itself', (res) => void res.writeHead(308, { location: `${base}/a` }).end()],
    ['headers without end', (res) => void res.socket!.write(`HTTP/1.1 200 OK\r\n${'X-A: 1\r\n'.repeat(50_000)}`)],
    ['another protocol', (res) => void res.socket!.write('SSH-2.0-OpenSSH_9\r\n')],
    ['an answer that breaks off', (res) => void res.socket!.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{')],
    ['a body that drips', drip],
  ] as [string, Answer][])
    test(`a receiver that answers with ${what} is a clear error in time, and no identity is registered`, async () => {
      await configured(afterRegistration(hook('/a', { response: { parse: true } })), { timeout: '900ms' })
      answer = behave
      const email = `odd-${Date.now()}@example.com`
      const { status, body } = await register(email)
      assert.ok(status === 502 || status === 504, `${status}`)
      assert.match(body.error.message, /^webhook /)
      const found = await new Client(server).get(`${server.adminUrl}/admin/identities?credentials_identifier=${email}`)
      assert.deepEqual(found.body, [])
    })

  test('calls whose answers are ignored are bounded, and keep no request waiting', async () => {
    await configured(afterLogin(hook('/a', { response: { ignore: true } })), { timeout: '4s' })
    answer = () => {}
    const person = await createPerson(server)
    assert.equal((await signIn(person)).status, 200)
    await server.deps.hooks.drain()
    assert.equal(calls.length, 1)
    assert.match(server.logs(), /a web hook failed/)
  })
})
