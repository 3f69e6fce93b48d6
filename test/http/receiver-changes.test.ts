import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import type { Db } from '../../src/kernel/db/client.ts'
import { Client } from '../helpers/client.ts'
import { createDatabase, openAt, postgres, type Scope } from '../helpers/db.ts'
import { type Received, startReceiver } from '../helpers/receiver.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

async function node(t: Scope, given: { db?: Db; config?: Record<string, unknown> } = {}) {
  const server = await testServer(t, { backend: postgres, ...given })
  for (const work of server.deps.background) work.start()
  t.after(async () => {
    for (const work of server.deps.background) await work.stop()
  })
  return server
}

async function call(server: TestServer, method: string, path: string, json?: unknown) {
  const url = `${server.adminUrl}/admin/events/webhooks${path}`
  const reply = await new Client(server).send(method, url, json === undefined ? {} : { json })
  assert.ok(reply.status < 300, reply.text)
  return reply.body
}

async function life(server: TestServer): Promise<string> {
  const { session } = await signedIn(server)
  await server.deps.sessions.revoke(session, 'logout')
  return session.id
}

const isSignedBy = (secret: string, { body, headers }: Received): boolean => {
  try {
    return new Webhook(secret).verify(body, headers) !== undefined
  } catch {
    return false
  }
}

describe('changes of a receiver', () => {
  test('that come at once at two nodes lose nothing of each other', async (t) => {
    const receiver = await startReceiver(t)
    const url = await createDatabase(t, { migrated: true })
    const [one, two] = [await node(t, { db: await openAt(t, url) }), await node(t, { db: await openAt(t, url) })]
    const { id } = await call(one, 'POST', '', { url: receiver.url, events: ['session.ended'] })
    for (let round = 1; round <= 12; round++) {
      const given = { url: `${receiver.url}/${round}`, headers: { 'x-round': String(round) }, timeout: `${5 + round}s` }
      const [rotated] = await Promise.all([
        call(one, 'POST', `/${id}/secret`, { keep_previous: false }),
        call(two, 'PATCH', `/${id}`, { url: given.url }),
        call(one, 'PATCH', `/${id}`, { headers: given.headers }),
        call(two, 'PATCH', `/${id}`, { timeout: given.timeout, events: ['session.ended', 'session.created'] }),
      ])
      const known = await call(two, 'GET', `/${id}`)
      assert.deepEqual(
        [known.url, known.headers, known.timeout, known.events.length, known.signs_with],
        [given.url, ['x-round'], `${(5 + round) * 1000}ms`, 2, 1],
      )
      const before = receiver.received.length
      await life(round % 2 === 0 ? one : two)
      const told = (await receiver.count(before + 2)).slice(before)
      for (const message of told) {
        assert.ok(isSignedBy(rotated.secret, message), `round ${round}: signed by what was given out`)
        assert.deepEqual([message.url, message.headers['x-round']], [`/hook/${round}`, String(round)])
      }
    }
  })

  test('two rotations at once: both have been in force, and both sign', async (t) => {
    const receiver = await startReceiver(t)
    const server = await node(t)
    const { id } = await call(server, 'POST', '', { url: receiver.url, events: ['session.ended'] })
    const rotated = await Promise.all([1, 2].map(() => call(server, 'POST', `/${id}/secret`)))
    await life(server)
    const [told] = await receiver.count(1)
    for (const { secret } of rotated) assert.ok(isSignedBy(secret, told!))
  })

  test('hold for what is taken after them, also while the receiver is busy', async (t) => {
    const receiver = await startReceiver(t)
    const server = await node(t, { config: { lethe: { events: { delivery: { concurrency: 1 } } } } })
    const { id, secret } = await call(server, 'POST', '', { url: receiver.url, events: ['session.ended'] })
    await receiver.answer({ delayMs: 50 })
    await Promise.all(Array.from({ length: 20 }, () => life(server)))
    await receiver.count(3)
    const rotated = await call(server, 'POST', `/${id}/secret`, { keep_previous: false })
    // one may be under way, and one be on its way to here
    const from = receiver.received.length + 2
    const all = await receiver.count(20)
    assert.ok(all.slice(0, 3).every((message) => isSignedBy(secret, message)))
    assert.ok(from < 20)
    assert.ok(all.slice(from).every((message) => isSignedBy(rotated.secret, message)))
  })

  test('a pause at one node holds at the other at once', async (t) => {
    const receiver = await startReceiver(t)
    const url = await createDatabase(t, { migrated: true })
    const config = { lethe: { events: { delivery: { concurrency: 1 } } } }
    const other = await node(t, { db: await openAt(t, url), config })
    const { id } = await call(other, 'POST', '', { url: receiver.url, events: ['session.ended'] })
    await receiver.answer({ delayMs: 50 })
    const silent = await testServer(t, { backend: postgres, db: await openAt(t, url) })
    await Promise.all(Array.from({ length: 20 }, () => life(silent)))
    await receiver.count(2)
    await call(silent, 'PATCH', `/${id}`, { enabled: false })
    const most = receiver.received.length + 2
    await sleep(500)
    assert.ok(receiver.received.length <= most, `${receiver.received.length} came`)
    await call(silent, 'PATCH', `/${id}`, { enabled: true })
    await receiver.count(20)
  })
})

describe('receivers without manners', () => {
  const kinds: Record<string, (socket: Socket) => void> = {
    'a body that never ends': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'),
    'another protocol': (socket) => socket.write('HTTP/1.1 101 Odd\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    'no answer': () => {},
    'no HTTP': (socket) => socket.write('220 smtp.example.org\r\n'),
  }
  test('keep no connection, and hold up no other request', async (t) => {
    const good = await startReceiver(t)
    const server = await node(t, { config: { lethe: { events: { delivery: { concurrency: 4 } } } } })
    const open = new Map<string, Set<Socket>>()
    for (const [name, answer] of Object.entries(kinds)) {
      const sockets = new Set<Socket>()
      open.set(name, sockets)
      const bad = createServer((socket) => {
        sockets.add(socket)
        socket.on('close', () => sockets.delete(socket)).on('error', () => {})
        socket.once('data', () => answer(socket))
      }).listen(0, '127.0.0.1')
      await once(bad, 'listening')
      t.after(async () => {
        for (const socket of sockets) socket.destroy()
        bad.close()
      })
      await call(server, 'POST', '', {
        url: `http://127.0.0.1:${(bad.address() as AddressInfo).port}/`,
        timeout: '300ms',
      })
    }
    await call(server, 'POST', '', { id: 'good', url: good.url, events: ['session.ended'] })
    for (let i = 0; i < 40; i++) await life(server)
    await good.count(40)
    for (const [name, sockets] of open) assert.ok(sockets.size <= 4, `${name}: ${sockets.size} connections`)
  })
})
