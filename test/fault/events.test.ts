import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { createDeliveryStore } from '../../src/events/receivers/store.ts'
import { formatTime, SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import { sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { folder } from '../cli/folder.ts'
import { start } from '../cli/run.ts'
import { Client, createPerson, signInNative } from '../helpers/client.ts'
import { createDatabase, openAt, type Scope } from '../helpers/db.ts'
import { freePort } from '../helpers/free-port.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { type TestServer, testServer, WIRE_CONFIGS } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'

const hookTo = (url: string) => ({ id: 'hook', url, secret: 'sixteen letters.', timeout: '60s' })

async function running(t: Scope, server: TestServer): Promise<TestServer> {
  for (const work of server.deps.background) work.start()
  t.after(async () => {
    for (const work of server.deps.background) await work.stop()
  })
  return server
}

test('what a node had taken when it died is taken over by another, with the same id', async (t) => {
  const url = await createDatabase(t, { migrated: true })
  const receiver = await startReceiver(t)
  const wall = systemClock()
  let ahead = 0
  const clock = { now: () => wall.now() + ahead }
  const config = { lethe: { events: { webhooks: [hookTo(receiver.url)] } } }
  // a node that writes deliveries and does not come to send them
  const dying = await testServer(t, {
    db: await openAt(t, url),
    clock,
    config: { lethe: { events: { webhooks: [hookTo('http://127.0.0.1:9/')] } } },
  })
  await running(t, dying)
  const { session } = await signedIn(dying)
  const store = createDeliveryStore(dying.db, () => formatTime(clock.now()))
  const claim = { webhookId: 'hook', limit: 10, id: randomUUID() }
  let taken: Awaited<ReturnType<typeof store.claim>> = []
  while (taken.length === 0) {
    ahead += 60 * SECOND
    const now = clock.now()
    taken = await store.claim({ ...claim, now: formatTime(now), until: formatTime(now + 600 * SECOND) })
  }
  for (const work of dying.deps.background) await work.stop()
  await running(t, await testServer(t, { db: await openAt(t, url), clock, config }))
  await sleep(200)
  assert.equal(receiver.received.length, 0)
  ahead += 601 * SECOND
  const [first] = await receiver.count(1)
  assert.deepEqual([first!.event.session_id, first!.event.id], [session.id, taken[0]!.id])
  // the dead node comes back to life and believes that it failed
  const late = {
    webhookId: 'hook',
    seq: taken[0]!.seq,
    claim: claim.id,
    dueAt: formatTime(clock.now()),
    status: 500,
    error: 'x',
  }
  assert.equal(await store.finish({ ...late, state: 'dead' }), false)
})

test('a node that is killed after a logout and before its delivery loses nothing', async (t) => {
  const DSN = await createDatabase(t, { migrated: true })
  const receiver = await startReceiver(t)
  // the first one looks at the log once, long before the logout, and is killed before it would look again
  const first = await spawned(t, DSN, receiver.url, { poll_interval: '1h' })
  const person = await createPerson(first)
  const { sessionId, token } = await signInNative(first, person)
  const reply = await new Client(first).send('DELETE', '/self-service/logout/api', { json: { session_token: token } })
  assert.equal(reply.status, 204)
  await first.kill()
  assert.equal(receiver.received.length, 0)
  const second = await spawned(t, DSN, receiver.url, {})
  const told = (await receiver.count(2)).map(({ event }) => [event.type, event.session_id])
  assert.deepEqual(told, [
    ['session.created', sessionId],
    ['session.ended', sessionId],
  ])
  await second.kill()
})

test('a database that crashes loses no end that was acknowledged, and delivers none that was not', async (t) => {
  const server = await startPostgres(['unix_socket_directories=', 'max_connections=60'])
  t.after(() => server.stop())
  const db = await openAt(t, server.url)
  await migrateUp(db)
  const receiver = await startReceiver(t)
  const node = await testServer(t, { db, config: { lethe: { events: { webhooks: [hookTo(receiver.url)] } } } })
  await running(t, node)
  const acknowledged = new Set<string>()
  let crashes = 0
  const worker = async () => {
    for (let i = 0; crashes < 2 || i < 10; i++) {
      try {
        const { session } = await signedIn(node)
        if (await node.deps.sessions.revoke(session, 'logout')) acknowledged.add(session.id)
      } catch {
        await sleep(50)
      }
    }
  }
  const crash = async () => {
    const before = acknowledged.size
    await until(() => acknowledged.size > before + 10, 'ends that are acknowledged')
    const client = new pg.Client({ connectionString: server.url })
    client.on('error', () => {})
    await client.connect()
    const { rows } = await client.query('select pg_backend_pid() as pid')
    // the death of one of its processes makes Postgres drop all connections and recover from its log
    process.kill(rows[0].pid, 'SIGKILL')
    await client.end().catch(() => {})
    crashes += 1
  }
  const crashing = (async () => {
    await crash()
    for (;;) {
      try {
        return await crash()
      } catch {
        await sleep(100)
      }
    }
  })()
  await Promise.all([crashing, ...Array.from({ length: 4 }, worker)])
  assert.ok(acknowledged.size > 10)
  const ended = () =>
    new Set(
      receiver.received.filter(({ event }) => event.type === 'session.ended').map(({ event }) => event.session_id),
    )
  await until(() => [...acknowledged].every((id) => ended().has(id)), 'every end that was acknowledged')
  // the outcome of a call that was cut off is unknown, but what was told is true
  const rows = await db.query<{ id: string }>(sql('test.active', 'select id from sessions where active'))
  assert.deepEqual(
    rows.filter(({ id }) => ended().has(id)),
    [],
  )
})

/** A server as a process of its own. */
async function spawned(t: Scope, DSN: string, hookUrl: string, events: Record<string, unknown>) {
  const [publicPort, adminPort] = [await freePort(), await freePort()]
  const file = `${await folder(t)}/kratos.json`
  const url = { public: `http://127.0.0.1:${publicPort}`, admin: `http://127.0.0.1:${adminPort}` }
  const base = JSON.parse(
    JSON.stringify(WIRE_CONFIGS.default).replaceAll('{{public}}', url.public).replaceAll('{{admin}}', url.admin),
  )
  await writeFile(file, JSON.stringify({ ...base, lethe: { events: { webhooks: [hookTo(hookUrl)], ...events } } }))
  const env = {
    DSN,
    SERVE_PUBLIC_HOST: '127.0.0.1',
    SERVE_PUBLIC_PORT: String(publicPort),
    SERVE_ADMIN_HOST: '127.0.0.1',
    SERVE_ADMIN_PORT: String(adminPort),
  }
  const { child, ended } = start(['serve', '--dev', '-c', file], { env })
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  t.after(kill)
  for (;;) {
    if (child.exitCode !== null) throw new Error(JSON.stringify(await ended))
    const ready = await fetch(`${url.admin}/health/ready`).then(
      ({ status }) => status === 200,
      () => false,
    )
    if (ready) return { publicUrl: url.public, adminUrl: url.admin, kill }
    await sleep(50)
  }
}
