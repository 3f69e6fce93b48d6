import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { type Clock, SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import type { Db } from '../../src/kernel/db/client.ts'
import { Client } from '../helpers/client.ts'
import { createDatabase, openAt, postgres, type Scope } from '../helpers/db.ts'
import { type Received, startReceiver } from '../helpers/receiver.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'
import { UNVERIFIABLE, VERIFIABLE } from '../helpers/webhook-secrets.ts'

const MINUTE = 60

/** A clock that can be set forward, for all nodes of a test. */
function movable(): Clock & { forward(seconds: number): void } {
  const wall = systemClock()
  let ahead = 0
  const forward = (seconds: number) => {
    ahead += seconds * SECOND
  }
  return { now: () => wall.now() + ahead, forward }
}

/** A server with its background work running, until the test ends. */
async function node(t: Scope, given: { db?: Db; clock?: Clock; config?: Record<string, unknown> } = {}) {
  const server = await testServer(t, { backend: postgres, ...given })
  for (const work of server.deps.background) work.start()
  t.after(async () => {
    for (const work of server.deps.background) await work.stop()
  })
  return server
}

const call = async (server: TestServer, method: string, path: string, json?: unknown) =>
  new Client(server).send(method, `${server.adminUrl}/admin${path}`, json === undefined ? {} : { json })

async function add(server: TestServer, json: Record<string, unknown>) {
  const reply = await call(server, 'POST', '/events/webhooks', json)
  assert.equal(reply.status, 201, reply.text)
  return reply.body
}

/** Begins and ends a session. */
async function life(server: TestServer): Promise<string> {
  const { session } = await signedIn(server)
  await server.deps.sessions.revoke(session, 'logout')
  return session.id
}

const deliveries = async (server: TestServer, id: string, state: string) =>
  (await call(server, 'GET', `/events/webhooks/${id}/deliveries?state=${state}`)).body

/** Each session's beginning came before its end, however often each came. */
function assertOrder(received: readonly Received[]): void {
  const first = new Map<string, number>()
  received.forEach(({ event }, index) => {
    const key = `${event.session_id} ${event.type}`
    if (!first.has(key)) first.set(key, index)
  })
  for (const [key, index] of first) {
    if (key.endsWith('session.ended')) assert.ok(first.get(key.replace('ended', 'created'))! < index, key)
  }
}

describe('a receiver of events', () => {
  test('gets each event signed, in order, as the libraries of receivers expect it', async (t) => {
    const receiver = await startReceiver(t)
    const server = await node(t)
    const { id, secret } = await add(server, { url: receiver.url, headers: { 'X-Own': 'yes' } })
    const session = await life(server)
    const [created, ended] = await receiver.count(2)
    assert.deepEqual([created!.event.type, ended!.event.type], ['session.created', 'session.ended'])
    assert.deepEqual([ended!.event.session_id, ended!.event.cause], [session, 'logout'])
    const message = new Webhook(secret).verify(ended!.body, ended!.headers) as any
    assert.deepEqual([message.type, message.timestamp], ['session.ended', message.data.time])
    assert.equal(ended!.headers['webhook-id'], message.data.id)
    assert.equal(ended!.headers['content-type'], 'application/json')
    assert.equal(ended!.headers['x-own'], 'yes')
    assert.throws(() => new Webhook(secret).verify(`${ended!.body} `, ended!.headers))
    const done = await until(
      async () => (await deliveries(server, id, 'delivered')).length === 2 && deliveries(server, id, 'delivered'),
    )
    assert.deepEqual(
      done.map((d: any) => [d.event_id, d.attempts, d.last_status]),
      [ended, created].map((r) => [r!.event.id, 1, 204]),
    )
    assert.deepEqual(
      (await call(server, 'GET', `/events/webhooks/${id}/deliveries/${done[0].seq}`)).body.event,
      ended!.event,
    )
  })

  test('may change over from one secret to the next', async (t) => {
    const receiver = await startReceiver(t)
    const server = await node(t)
    const { id, secret } = await add(server, { url: receiver.url, events: ['session.ended'] })
    const rotated = (await call(server, 'POST', `/events/webhooks/${id}/secret`)).body
    assert.deepEqual([rotated.signs_with, rotated.secret === secret], [2, false])
    await until(async () => (await call(server, 'GET', `/events/webhooks/${id}`)).body.signs_with === 2)
    await life(server)
    const [first] = await receiver.count(1)
    for (const key of [secret, rotated.secret]) new Webhook(key).verify(first!.body, first!.headers)
    await call(server, 'POST', `/events/webhooks/${id}/secret`, {
      secret: 'a text of my own choice',
      keep_previous: false,
    })
    await life(server)
    const second = (await receiver.count(2))[1]!
    new Webhook('a text of my own choice', { format: 'raw' }).verify(second.body, second.headers)
    assert.throws(() => new Webhook(rotated.secret).verify(second.body, second.headers))
  })

  test('are refused a secret that they could not verify with, and verify with every other', async (t) => {
    const receiver = await startReceiver(t)
    const server = await node(t)
    const url = receiver.url
    for (const secret of UNVERIFIABLE) {
      const refused = await call(server, 'POST', '/events/webhooks', { url, secret })
      assert.equal(refused.status, 400, JSON.stringify(secret))
      assert.match(refused.text, /secret|incomplete Unicode/)
      assert.ok(!refused.text.includes(secret), refused.text)
    }
    const hooks = new Map<string, string>()
    for (const [i, secret] of VERIFIABLE.entries()) {
      const { id } = await add(server, { url: `${url}/${i}`, secret, events: ['session.ended'] })
      hooks.set(new URL(`${url}/${i}`).pathname, secret)
      for (const wrong of UNVERIFIABLE.slice(0, 3)) {
        assert.equal((await call(server, 'POST', `/events/webhooks/${id}/secret`, { secret: wrong })).status, 400)
      }
    }
    await life(server)
    const cameTo = (path: string) => receiver.received.some(({ url }) => url === path)
    // Any of them may come twice: one that is late is sent again.
    await until(() => [...hooks.keys()].every(cameTo), 'a message at each')
    for (const { url: path, body, headers } of receiver.received) {
      const secret = hooks.get(path)!
      // a text is a key as UTF-8; the library would take each letter for a byte
      const library = secret.startsWith('whsec_')
        ? new Webhook(secret)
        : new Webhook(Buffer.from(secret), { format: 'raw' })
      library.verify(body, headers)
    }
  })

  test('of the configuration hears of all that happens since it was read', async (t) => {
    const receiver = await startReceiver(t)
    const clock = movable()
    const hook = { id: 'configured', url: receiver.url, secret: 'sixteen letters.', events: ['session.ended'] }
    const server = await testServer(t, {
      backend: postgres,
      clock,
      config: { lethe: { events: { webhooks: [hook] } } },
    })
    const session = await life(server)
    for (const work of server.deps.background) work.start()
    t.after(async () => {
      for (const work of server.deps.background) await work.stop()
    })
    const [first] = await receiver.count(1)
    assert.equal(first!.event.session_id, session)
    new Webhook('sixteen letters.', { format: 'raw' }).verify(first!.body, first!.headers)
    const answer = (await call(server, 'GET', '/events/webhooks/configured')).body
    assert.equal(answer.source, 'config')
    assert.ok(!JSON.stringify(answer).includes('sixteen'))
    for (const [method, path] of [
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/secret'],
    ] as const) {
      assert.equal((await call(server, method, `/events/webhooks/configured${path}`, {})).status, 409)
    }
    assert.equal((await call(server, 'POST', '/events/webhooks', { id: 'configured', url: receiver.url })).status, 409)
  })

  test('that fails is tried again, later and later, with the same id, and its sessions wait in order', async (t) => {
    const receiver = await startReceiver(t)
    const clock = movable()
    const server = await node(t, { clock })
    await receiver.answer({ status: 500 })
    const { id } = await add(server, { url: receiver.url })
    const session = await life(server)
    await receiver.count(1)
    const failed = (n: number) =>
      until(async () => (await deliveries(server, id, 'pending')).find((d: any) => d.attempts === n && !d.under_way))
    const once = await failed(1)
    assert.deepEqual(
      [once.event_type, once.last_status, once.last_error],
      ['session.created', 500, 'answered with status 500'],
    )
    const pauses: number[] = []
    for (let attempt = 2; attempt <= 5; attempt++) {
      clock.forward(MINUTE)
      await receiver.count(attempt)
      const { next_attempt_at, last_attempt_at } = await failed(attempt)
      pauses.push((Date.parse(next_attempt_at) - Date.parse(last_attempt_at)) / 1000)
    }
    for (const [i, pause] of pauses.entries()) {
      assert.ok(pause >= 2 ** i && pause < 2 ** (i + 1) + 1, `pause ${i}: ${pause}`)
    }
    await receiver.answer({ status: 200 })
    clock.forward(MINUTE)
    const all = await receiver.count(7)
    assert.equal(new Set(all.slice(0, 6).map(({ headers }) => headers['webhook-id'])).size, 1)
    assert.deepEqual([all[6]!.event.type, all[6]!.event.session_id], ['session.ended', session])
  })

  test('that was away for an hour gets everything after it returns', async (t) => {
    const clock = movable()
    const server = await node(t, { clock })
    const first = await startReceiver(t)
    const { id } = await add(server, { url: first.url })
    await life(server)
    await first.count(2)
    await first.kill()
    const sessions: string[] = []
    for (let i = 0; i < 12; i++) {
      sessions.push(await life(server))
      clock.forward(5 * MINUTE)
    }
    await until(async () => (await deliveries(server, id, 'pending')).some((d: any) => d.attempts > 1))
    const second = await startReceiver(t, first.port)
    await until(async () => {
      clock.forward(MINUTE)
      return (await deliveries(server, id, 'pending')).length === 0
    })
    const ids = (type: string) =>
      new Set(second.received.filter(({ event }) => event.type === type).map(({ event }) => event.session_id))
    for (const type of ['session.created', 'session.ended'])
      for (const session of sessions) assert.ok(ids(type).has(session))
    // the last one to the first receiver may have come without an answer
    assertOrder([...first.received, ...second.received])
    assert.deepEqual(await deliveries(server, id, 'dead'), [])
  })

  test('is given up in the end; what was given up can be delivered again, one or all', async (t) => {
    const receiver = await startReceiver(t)
    const clock = movable()
    const server = await node(t, { clock, config: { lethe: { events: { delivery: { give_up_after: '1h' } } } } })
    await receiver.answer({ status: 503, headers: { 'retry-after': '120' } })
    const { id } = await add(server, { url: receiver.url, events: ['session.ended'] })
    for (let i = 0; i < 3; i++) await life(server)
    await receiver.count(3)
    const waiting = await until(async () => {
      const rows = await deliveries(server, id, 'pending')
      return rows.length === 3 && rows.every((d: any) => !d.under_way && d.attempts === 1) && rows
    })
    const asked = (Date.parse(waiting[0].next_attempt_at) - Date.parse(waiting[0].last_attempt_at)) / 1000
    assert.ok(asked >= 120 && asked < 150, `the receiver asked for 120 s and gets ${asked}`)
    clock.forward(61 * MINUTE)
    const dead = await until(async () => {
      const rows = await deliveries(server, id, 'dead')
      return rows.length === 3 && rows
    })
    assert.deepEqual(
      [(await call(server, 'GET', `/events/webhooks/${id}`)).body.dead, receiver.received.length],
      [3, 6],
    )
    await receiver.answer({ status: 200, headers: {} })
    const one = await call(server, 'POST', `/events/webhooks/${id}/deliveries/${dead[1].seq}/replay`)
    assert.deepEqual([one.status, one.body], [200, { replayed: 1 }])
    assert.equal((await receiver.count(7))[6]!.event.id, dead[1].event_id)
    assert.deepEqual((await call(server, 'POST', `/events/webhooks/${id}/replay`)).body, { replayed: 2 })
    const again = (await receiver.count(9)).slice(7).map(({ event }) => event.id)
    assert.deepEqual(again.sort(), [dead[0].event_id, dead[2].event_id].sort())
    await until(async () => (await deliveries(server, id, 'delivered')).length === 3)
    // a range, delivered or not
    const range = { which: 'all', after_seq: dead[2].seq, up_to_seq: dead[0].seq }
    assert.deepEqual((await call(server, 'POST', `/events/webhooks/${id}/replay`, range)).body, { replayed: 2 })
    await receiver.count(11)
    const past = { which: 'all', until: '2020-01-01T00:00:00Z' }
    assert.deepEqual((await call(server, 'POST', `/events/webhooks/${id}/replay`, past)).body, { replayed: 0 })
  })

  test('that says that it is gone is not asked again', async (t) => {
    const receiver = await startReceiver(t)
    const server = await node(t)
    await receiver.answer({ status: 410 })
    const { id } = await add(server, { url: receiver.url, events: ['session.ended'] })
    await life(server)
    const [dead] = await until(async () => {
      const rows = await deliveries(server, id, 'dead')
      return rows.length > 0 && rows
    })
    assert.deepEqual([dead.attempts, dead.last_status], [1, 410])
    const metrics = await (await fetch(`${server.adminUrl}/metrics/prometheus`)).text()
    for (const line of [
      `lethe_event_deliveries_total{receiver="${id}",result="given_up"} 1`,
      `lethe_event_deliveries_dead{receiver="${id}"} 1`,
      `lethe_event_deliveries_pending{receiver="${id}"} 0`,
      `lethe_event_delivery_lag_seconds{receiver="${id}"} 0`,
      'lethe_event_streams 0',
    ]) {
      assert.ok(metrics.split('\n').includes(line), line)
    }
  })

  test('cannot lead elsewhere, nor feed us', async (t) => {
    const [receiver, target] = await Promise.all([startReceiver(t), startReceiver(t)])
    const server = await node(t)
    await receiver.answer({ status: 302, headers: { location: target.url } })
    const { id } = await add(server, { url: receiver.url, events: ['session.ended'] })
    await life(server)
    const [row] = await until(async () => {
      const rows = await deliveries(server, id, 'pending')
      return rows[0]?.last_status === 302 && rows
    })
    assert.match(row.last_error, /redirects are not followed/)
    assert.equal(target.received.length, 0)
    const large = await add(server, { url: target.url, events: ['session.ended'] })
    await target.answer({ status: 200, size: 50_000_000 })
    await life(server)
    await until(async () => (await deliveries(server, large.id, 'delivered')).length === 1)
  })

  test('is not reached at a private address where that is forbidden, by name or by number', async (t) => {
    const receiver = await startReceiver(t)
    const clients = { http: { disallow_private_ip_ranges: true, private_ip_exception_urls: [receiver.url] } }
    const server = await node(t, { config: { clients } })
    const bad = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433']
    const ids: string[] = []
    for (const host of bad) {
      ids.push((await add(server, { url: `http://${host}:${receiver.port}/other`, events: ['session.ended'] })).id)
    }
    await add(server, { url: receiver.url, events: ['session.ended'] })
    await life(server)
    for (const id of ids) {
      const [row] = await until(async () => {
        const rows = await deliveries(server, id, 'pending')
        return rows[0]?.last_error ? rows : undefined
      })
      assert.match(row.last_error, /address is private/)
    }
    assert.deepEqual(
      (await receiver.count(1)).map(({ url }) => url),
      ['/hook'],
    )
  })

  test('that never answers holds up neither a logout nor another receiver', async (t) => {
    const [slow, quick] = await Promise.all([startReceiver(t), startReceiver(t)])
    const server = await node(t, { config: { lethe: { events: { delivery: { concurrency: 2 } } } } })
    await slow.answer({ hang: true })
    await add(server, { url: slow.url, timeout: '60s' })
    await add(server, { url: quick.url })
    for (let i = 0; i < 5; i++) await life(server)
    await quick.count(10)
    assert.equal((await slow.count(2)).length, 2)
    await slow.kill()
  })

  test('gets each event once from two nodes that share the work', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const receiver = await startReceiver(t)
    const nodes = await Promise.all([0, 1].map(async () => node(t, { db: await openAt(t, url) })))
    const { id } = await add(nodes[0]!, { url: receiver.url })
    await Promise.all(nodes.flatMap((server) => Array.from({ length: 10 }, () => life(server))))
    const received = await receiver.count(40)
    await until(async () => (await deliveries(nodes[1]!, id, 'delivered')).length === 40)
    assert.equal(new Set(received.map(({ event }) => event.id)).size, 40)
    assert.equal(received.length, 40)
    assertOrder(received)
  })
})

describe('receivers on the admin port', () => {
  test('can be paused, changed and removed, and show no secret', async (t) => {
    const receiver = await startReceiver(t)
    const server = await node(t)
    const { id, secret } = await add(server, {
      id: 'mine',
      url: receiver.url,
      headers: { authorization: 'Basic c2VjcmV0' },
      enabled: false,
    })
    assert.equal(id, 'mine')
    await life(server)
    await until(async () => (await deliveries(server, id, 'pending')).length === 2)
    const changed = await call(server, 'PATCH', '/events/webhooks/mine', {
      enabled: true,
      events: ['session.ended'],
      timeout: '2s',
    })
    assert.deepEqual([changed.status, changed.body.events, changed.body.timeout], [200, ['session.ended'], '2000ms'])
    await receiver.count(2)
    const shown = (await call(server, 'GET', '/events/webhooks')).text + changed.text
    assert.ok(!shown.includes(secret) && !shown.includes('c2VjcmV0'))
    assert.ok(!server.logs().includes(secret))
    assert.equal((await call(server, 'DELETE', '/events/webhooks/mine')).status, 204)
    for (const [method, path] of [
      ['GET', '/events/webhooks/mine'],
      ['PATCH', '/events/webhooks/mine'],
      ['DELETE', '/events/webhooks/mine'],
      ['POST', '/events/webhooks/mine/secret'],
      ['POST', '/events/webhooks/mine/replay'],
      ['GET', '/events/webhooks/mine/deliveries'],
      ['GET', '/events/webhooks/mine/deliveries/1'],
      ['POST', '/events/webhooks/mine/deliveries/1/replay'],
      ['GET', '/events/webhooks/%00/deliveries/1'],
    ] as const) {
      assert.equal((await call(server, method, path)).status, 404, `${method} ${path}`)
    }
  })

  test('refuse what cannot be right with 400', async (t) => {
    const server = await testServer(t, { backend: postgres })
    const url = 'https://example.com/'
    for (const body of [
      {},
      { url: 'ftp://example.com' },
      { url: 'javascript:alert(1)' },
      { url, id: '../x' },
      { url, secret: 'short' },
      { url, events: [] },
      { url, events: ['session.nonsense'] },
      { url, headers: { 'bad name': 'x' } },
      { url, headers: { good: 'bad\nvalue' } },
      { url, headers: { 'Content-Length': '1' } },
      { url: `${url} x` },
      { url: 'http://%zz@example.com/' },
      { url, timeout: '1h' },
      { url, unknown: true },
      [],
      'text',
    ]) {
      const { status, text } = await call(server, 'POST', '/events/webhooks', body)
      assert.equal(status, 400, JSON.stringify(body) + text)
    }
    await add(server, { id: 'x', url })
    assert.equal((await call(server, 'POST', '/events/webhooks', { id: 'x', url })).status, 409)
    assert.equal((await call(server, 'POST', '/events/webhooks/x/replay', { since: 'yesterday' })).status, 400)
    assert.equal(
      (await call(server, 'POST', '/events/webhooks/x/replay', { since: '0000-01-01T00:00:00Z', which: 'all' })).status,
      200,
    )
    for (const query of ['state=x', 'page_size=0', 'page_size=x', 'page_token=-1', 'page_token=99999999999999999999']) {
      assert.equal((await call(server, 'GET', `/events/webhooks/x/deliveries?${query}`)).status, 400, query)
    }
    assert.equal((await call(server, 'GET', '/events/webhooks/x/deliveries/abc')).status, 400)
  })
})
