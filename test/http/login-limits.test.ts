import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { type Clock, SECOND } from '../../src/kernel/base/clock.ts'
import { createHasher } from '../../src/kernel/crypto/passwords/passwords.ts'
import { Client, createPerson, type Person, type Reply, signIn, signInNative } from '../helpers/client.ts'
import { postgres, type Scope } from '../helpers/db.ts'
import { cheapHasherSettings } from '../helpers/hasher.ts'
import { type TestServer, testServer } from '../helpers/server.ts'

/** A server with small limits, and a clock that only moves by hand. */
async function setup(t: Scope, limits: object = { per_identifier: 3, per_address: 100 }) {
  let now = 1_795_000_000 * SECOND
  const clock: Clock = { now: () => now }
  const server = await testServer(t, { backend: postgres, clock, config: { lethe: { limits: { login: limits } } } })
  return {
    server,
    pass: (seconds: number) => {
      now += seconds * SECOND
    },
  }
}

async function guess(server: TestServer, identifier: string, password = 'wrong-password'): Promise<Reply> {
  const client = new Client(server)
  const flow = (await client.get('/self-service/login/api')).body
  return client.send('POST', flow.ui.action, { json: { method: 'password', identifier, password } })
}

const guesses = (server: TestServer, count: number, of: Pick<Person, 'email'>) =>
  Promise.all(Array.from({ length: count }, () => guess(server, of.email)))

describe('limits of sign-in over HTTP', () => {
  test('after too many failures even the right password is told to wait, and then works', async (t) => {
    const { server, pass } = await setup(t)
    const person = await createPerson(server)
    for (let i = 0; i < 3; i++) assert.equal((await guess(server, person.email)).status, 400)
    const reply = await guess(server, person.email, person.password)
    assert.equal(reply.status, 429)
    assert.equal(reply.headers.get('retry-after'), '60')
    assert.deepEqual(reply.body.error, {
      id: 'too_many_attempts',
      code: 429,
      status: 'Too Many Requests',
      reason: 'There were too many failed attempts. Try again in 60 seconds.',
      message: 'too many failed attempts',
    })
    await signInNative(server, await createPerson(server))
    pass(60)
    await signInNative(server, person)
  })

  test('an unknown identifier is limited alike', async (t) => {
    const { server } = await setup(t)
    for (let i = 0; i < 3; i++) assert.equal((await guess(server, 'nobody@example.com')).status, 400)
    assert.equal((await guess(server, 'nobody@example.com')).status, 429)
  })

  test('of guesses sent at once no more are judged than of guesses sent one by one', async (t) => {
    const { server } = await setup(t)
    const person = await createPerson(server)
    const replies = await Promise.all([...Array.from({ length: 20 }, () => guess(server, person.email))])
    const statuses = replies.map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 400).length, 3)
    // Those that the account's share of the hashing queue has no room for are not judged either.
    assert.deepEqual(
      statuses.filter((status) => ![400, 429, 503].includes(status)),
      [],
    )
  })

  test('success counts for nothing: many may sign in at once from one address, also as the same person', async (t) => {
    const { server } = await setup(t, { per_identifier: 3, per_address: 3 })
    const person = await createPerson(server)
    // All that one account's share of the hashing has room for, should none be done before the last one asks: three are
    // hashed at once, eight wait.
    await Promise.all(Array.from({ length: 3 + 8 }, () => signInNative(server, person)))
  })

  test('an address is limited for all accounts together, and cannot forge another', async (t) => {
    const { server } = await setup(t, { per_identifier: 3, per_address: 4 })
    for (const name of ['a', 'b', 'c', 'd']) assert.equal((await guess(server, `${name}@example.com`)).status, 400)
    const client = new Client(server)
    const { ui } = (await client.get('/self-service/login/api')).body
    const json = { method: 'password', identifier: 'e@example.com', password: 'x' }
    for (const header of ['x-forwarded-for', 'x-real-ip', 'true-client-ip', 'cf-connecting-ip', 'forwarded']) {
      const reply = await client.send('POST', ui.action, { json, headers: { [header]: '203.0.113.9' } })
      assert.equal(reply.status, 429, header)
    }
  })

  test('behind a trusted proxy it is the client that counts, as the proxy tells it', async (t) => {
    const config = {
      lethe: { limits: { login: { per_identifier: 0, per_address: 2 } }, http: { trusted_proxies: ['127.0.0.1/32'] } },
    }
    const server = await testServer(t, { backend: postgres, config })
    const from = async (forwarded: string) => {
      const client = new Client(server)
      const { ui } = (await client.get('/self-service/login/api')).body
      const json = { method: 'password', identifier: 'a@example.com', password: 'x' }
      return (await client.send('POST', ui.action, { json, headers: { 'x-forwarded-for': forwarded } })).status
    }
    const statuses = []
    // What stands before the address that the proxy has added is the client's own claim.
    for (const client of ['203.0.113.1', '198.51.100.7, 203.0.113.1', '192.0.2.3, 203.0.113.1', '203.0.113.2'])
      statuses.push(await from(client))
    assert.deepEqual(statuses, [400, 400, 429, 400])
  })

  test('behind an unnamed proxy no client locks out others, and guesses at one account stay limited', async (t) => {
    const { server } = await setup(t, { per_identifier: 3, per_address: 4 })
    const person = await createPerson(server)
    const from = async (forwarded: string, identifier: string, password = 'wrong-password') => {
      const client = new Client(server)
      const { ui } = (await client.get('/self-service/login/api')).body
      const headers = { 'x-forwarded-for': forwarded }
      return (await client.send('POST', ui.action, { json: { method: 'password', identifier, password }, headers }))
        .status
    }
    for (let i = 0; i < 10; i++) assert.equal(await from('203.0.113.7', `x${i}@example.com`), 400)
    assert.equal(await from('198.51.100.9', person.email, person.password), 200)
    for (let i = 0; i < 3; i++) assert.equal(await from(`203.0.113.${i}`, 'y@example.com'), 400)
    assert.equal(await from('203.0.113.9', 'y@example.com'), 429)
  })

  test('a proxy that adds a port gives no client a fresh limit', async (t) => {
    const config = {
      lethe: { limits: { login: { per_identifier: 0, per_address: 2 } }, http: { trusted_proxies: ['127.0.0.1/32'] } },
    }
    for (const host of ['198.51.100.2', '[2001:db8:1::1]']) {
      const server = await testServer(t, { backend: postgres, config })
      const statuses = []
      for (let port = 40_001; port < 40_004; port++) {
        const client = new Client(server)
        const { ui } = (await client.get('/self-service/login/api')).body
        const json = { method: 'password', identifier: `p${port}@example.com`, password: 'x' }
        const headers = { 'x-forwarded-for': `${host}:${port}` }
        statuses.push((await client.send('POST', ui.action, { json, headers })).status)
      }
      assert.deepEqual(statuses, [400, 400, 429])
    }
  })

  test('two nodes count as one', async (t) => {
    const { server } = await setup(t)
    const other = await testServer(t, {
      db: server.db,
      config: { lethe: { limits: { login: { per_identifier: 3 } } } },
    })
    const person = await createPerson(server)
    const clocks = await Promise.all([1, 2, 3].map(() => guess(other, person.email)))
    assert.deepEqual(new Set(clocks.map(({ status }) => status)), new Set([400]))
    assert.equal((await guess(other, person.email, person.password)).status, 429)
    const third = await testServer(t, {
      db: server.db,
      config: { lethe: { limits: { login: { per_identifier: 3 } } } },
    })
    assert.equal((await guess(third, person.email, person.password)).status, 429)
  })

  test('sign-ins of one account, with the right password, leave the others their turn', async (t) => {
    const hasher = createHasher(() => ({ ...cheapHasherSettings, bcrypt: { cost: 9 } }), {
      ...{ random: randomBytes, concurrency: 1, queue: 48 },
    })
    const server = await testServer(t, { backend: postgres, hasher })
    const [greedy, other] = [await createPerson(server), await createPerson(server)]
    let stopped = false
    const statuses = new Set<number>()
    const flood = Array.from({ length: 12 }, async () => {
      while (!stopped) statuses.add((await guess(server, greedy.email, greedy.password)).status)
    })
    while (!statuses.has(503)) await new Promise((resolve) => setTimeout(resolve, 20))
    for (let i = 0; i < 4; i++) assert.equal((await guess(server, other.email, other.password)).status, 200)
    stopped = true
    await Promise.all(flood)
    assert.deepEqual([...statuses].sort(), [200, 503])
  })

  describe('guesses of others do not lock the owner out', () => {
    const PROXY = {
      http: { trusted_proxies: ['127.0.0.1/32'] },
      limits: { login: { per_identifier: 3, per_address: 100 } },
    }
    const at = (address: string) => ({ 'x-forwarded-for': address })

    async function submit(client: Client, person: Person, headers: Record<string, string>, password = person.password) {
      const { ui } = (await client.get('/self-service/login/browser')).body
      const csrf_token = ui.nodes.find((node: any) => node.attributes.name === 'csrf_token').attributes.value
      const json = { method: 'password', identifier: person.email, password, csrf_token }
      return client.send('POST', ui.action, { json, headers })
    }
    const forget = (client: Client) => {
      for (const name of ['ory_kratos_session', 'ory_session']) client.jar.take([`${name}=; Path=/; Max-Age=0`])
    }

    test('a browser that has signed in before is known wherever it is, one that has not is not', async (t) => {
      const server = await testServer(t, { backend: postgres, config: { lethe: PROXY } })
      const person = await createPerson(server)
      const browser = new Client(server)
      const first = await submit(browser, person, { ...at('203.0.113.1'), 'sec-fetch-site': 'same-origin' })
      assert.equal(first.status, 200)
      const cookie = first.setCookie.find((line) => line.startsWith('lethe_known_browser='))
      assert.match(cookie ?? '', /; Path=\/self-service\/login; HttpOnly; Secure; SameSite=Lax$/)
      forget(browser)
      for (let i = 0; i < 5; i++) await submit(new Client(server), person, at(`198.51.100.${i}`), 'wrong-password')
      assert.equal((await submit(new Client(server), person, at('198.51.100.9'))).status, 429)
      const forged = new Client(server)
      forged.jar.take([`lethe_known_browser=${'A'.repeat(48)}; Path=/self-service/login`])
      assert.equal((await submit(forged, person, at('198.51.100.9'))).status, 429)
      assert.equal((await submit(browser, person, at('192.0.2.7'))).status, 200)
    })

    test('an address that has signed in before is known, without any cookie', async (t) => {
      const server = await testServer(t, { backend: postgres, config: { lethe: PROXY } })
      const person = await createPerson(server)
      const first = await submit(new Client(server), person, at('203.0.113.1'))
      assert.equal(first.status, 200)
      assert.doesNotMatch(first.setCookie.join(), /lethe_/, 'clients that are no browsers see no cookie more')
      for (let i = 0; i < 5; i++) await submit(new Client(server), person, at(`198.51.100.${i}`), 'wrong-password')
      assert.equal((await submit(new Client(server), person, at('198.51.100.9'))).status, 429)
      assert.equal((await submit(new Client(server), person, at('203.0.113.1:4000'))).status, 200)
      for (let i = 0; i < 3; i++)
        assert.equal((await submit(new Client(server), person, at('203.0.113.1'), 'wrong-password')).status, 400)
      assert.equal((await submit(new Client(server), person, at('203.0.113.1'))).status, 429)
    })
  })

  test('a browser gets a page, with nothing stored', async (t) => {
    const { server } = await setup(t)
    const person = await createPerson(server)
    await guesses(server, 3, person)
    const client = new Client(server)
    const flow = (await client.get('/self-service/login/browser')).body
    const csrf_token = flow.ui.nodes.find((node: any) => node.attributes.name === 'csrf_token').attributes.value
    const reply = await client.send('POST', flow.ui.action, {
      headers: { accept: 'text/html' },
      form: { method: 'password', identifier: person.email, password: person.password, csrf_token },
    })
    assert.equal(reply.status, 429)
    assert.equal(reply.headers.get('retry-after'), '60')
    assert.match(reply.headers.get('content-type') ?? '', /text\/html/)
    assert.match(reply.text, /Too many attempts/)
    assert.match(reply.text, /Wait a moment, then try again/)
    const [row] = await server.db.query({ name: '', text: 'select count(*) as count from selfservice_errors' })
    assert.equal(row?.count, 0)
  })

  test('a signed-in browser stays signed in', async (t) => {
    const { server } = await setup(t)
    const person = await createPerson(server)
    const client = new Client(server)
    await signIn(client, person)
    await guesses(server, 5, person)
    assert.equal((await client.get('/sessions/whoami')).status, 200)
  })
})
