import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { createDatabase, openAt } from '../helpers/db.ts'
import { mailbox } from '../helpers/mailbox.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'
import { serverProcess } from './storm.ts'

/** `FAULT_MESSAGES=2000` for a long one. */
const MESSAGES = Number(process.env.FAULT_MESSAGES ?? 300)
const AT_ONCE = 10

const STATES = sql('test.courier_states', 'select status, count(*) as count from courier_messages group by status')
/** What happens by itself a minute after a process that held a lease has ended. */
const LEASES_END = sql(
  'test.leases_end',
  `update lethe.courier_claims set due_at = '2000-01-01' returning (claim is not null) as held`,
)
const CLAIMS = sql('test.courier_claims', 'select count(*) as count from lethe.courier_claims')
const TRIES = sql(
  'test.courier_tries',
  `select m.id, m.send_count, m.body,
    (select count(*) from courier_message_dispatches d where d.message_id = m.id and d.status = 'success') as successes,
    (select count(*) from courier_message_dispatches d where d.message_id = m.id and d.error ->> 'message' = 'The outcome is not known.') as lost,
    (select count(*) from courier_message_dispatches d where d.message_id = m.id) as tries
   from courier_messages m`,
)

interface Tries {
  id: string
  send_count: number
  body: string
  successes: number
  lost: number
  tries: number
}

test(`${MESSAGES} messages, senders that are killed and stopped: each arrives, and one that may have come twice says so`, async (t) => {
  const dsn = await createDatabase(t, { migrated: true })
  const db = await openAt(t, dsn)
  const beside = await testServer(t, { db })
  const box = await mailbox(t)
  for (let i = 0; i < MESSAGES; i++)
    await beside.deps.courier.enqueue({
      type: 'recovery_code_valid',
      channel: 'email',
      recipient: `u${i}@example.com`,
      data: { to: `u${i}@example.com`, recovery_code: String(i).padStart(6, '0') },
    })
  const sender = () =>
    serverProcess(t, dsn, {}, ['--watch-courier', '--drain-delay', '0s'], {
      courier: {
        smtp: { connection_uri: `smtp://127.0.0.1:${box.port}/?disable_starttls=true` },
        worker: { pull_wait: '20ms', pull_count: AT_ONCE },
      },
    })
  const received = (share: number) => until(() => box.mails.length >= MESSAGES * share, `${share} of the messages`)

  const [one, other] = await Promise.all([sender(), sender()])
  await received(0.2)
  await one.kill()
  await received(0.4)
  await other.stop()
  const heldByTheDead = (await db.query<{ held: boolean }>(LEASES_END)).filter(({ held }) => held).length
  // a process that was asked to stop leaves nothing half done
  assert.ok(heldByTheDead <= AT_ONCE, `${heldByTheDead} leases`)
  one.startAgain()
  other.startAgain()
  await received(0.7)
  await Promise.all([one.kill(), other.kill()])
  await db.query(LEASES_END)
  one.startAgain()
  await until(async () => {
    const states = await db.query<{ status: number; count: number }>(STATES)
    return states.length === 1 && states[0]!.status === 2
  }, 'every message sent')
  await one.stop()

  const arrived = new Map<string, number>()
  for (const { headers } of box.mails) {
    const id = /^<(.+)@/.exec(headers.get('message-id') ?? '')?.[1] ?? ''
    arrived.set(id, (arrived.get(id) ?? 0) + 1)
  }
  const rows = await db.query<Tries>(TRIES)
  assert.equal(rows.length, MESSAGES)
  for (const { id, send_count, body, successes, lost, tries } of rows) {
    const times = arrived.get(id) ?? 0
    assert.ok(times >= 1, 'a message was lost')
    assert.ok(times <= 1 + lost, `a message came ${times} times, and nothing says so`)
    assert.deepEqual([successes, send_count, body], [1, tries, ''])
  }
  const lost = rows.reduce((sum, row) => sum + row.lost, 0)
  assert.ok(lost <= 3 * AT_ONCE, `${lost} tries whose outcome is not known`)
  assert.equal((await db.query<{ count: number }>(CLAIMS))[0]!.count, 0)
})

const MANY = 500
const LEFT = sql('test.courier_left', 'select count(*) as count from courier_messages where status <> 2')

test(`four couriers, a slow server, ${MANY} messages: each comes once`, async (t) => {
  const dsn = await createDatabase(t, { migrated: true })
  const box = await mailbox(t, { hold: () => new Promise((resolve) => setTimeout(resolve, 20)) })
  const courier = {
    smtp: { connection_uri: `smtp://127.0.0.1:${box.port}/?disable_starttls=true` },
    worker: { pull_wait: '20ms', pull_count: 10 },
  }
  const nodes: TestServer[] = []
  for (const _ of [1, 2, 3, 4]) nodes.push(await testServer(t, { db: await openAt(t, dsn), config: { courier } }))
  for (let i = 0; i < MANY; i++)
    await nodes[0]!.deps.courier.enqueue({
      type: 'recovery_code_valid',
      channel: 'email',
      recipient: `u${i}@${i % 7}.example.com`,
      data: { to: `u${i}@example.com`, recovery_code: '012345' },
    })
  for (const { deps } of nodes) deps.courierWorker.start()
  t.after(async () => void (await Promise.all(nodes.map(({ deps }) => deps.courierWorker.stop()))))
  await until(async () => (await nodes[0]!.db.query<{ count: number }>(LEFT))[0]!.count === 0, 'every message sent')
  assert.equal(box.mails.length, MANY)
  assert.equal(new Set(box.mails.map(({ headers }) => headers.get('message-id'))).size, MANY)
})
