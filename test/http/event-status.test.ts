import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseTime } from '../../src/kernel/base/clock.ts'
import { createDatabase, openAt, type Scope } from '../helpers/db.ts'
import { openWriter } from '../helpers/open-writer.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'

/** A node with a receiver that has been told everything, and the way to its database. */
async function node(t: Scope) {
  const receiver = await startReceiver(t)
  const hook = { id: 'shop', url: receiver.url, secret: 'sixteen letters.', events: ['*'] }
  const url = await createDatabase(t, { migrated: true })
  const config = { lethe: { events: { webhooks: [hook] } } }
  const server = await testServer(t, { db: await openAt(t, url), config })
  for (const work of server.deps.background) work.start()
  t.after(async () => {
    for (const work of server.deps.background) await work.stop()
  })
  const get = async (path: string) => (await fetch(server.adminUrl + path)).text()
  const status = async () => JSON.parse(await get('/admin/events/status'))
  await until(async () => (await status()).receivers.length === 1)
  await signedIn(server)
  await receiver.count(1)
  await until(async () => (await status()).receivers[0].lag_events === 0)
  return { url, server, receiver, get, status }
}

describe('how far the log and its followers have come', () => {
  test('the answer names who holds the log back, and how far each receiver is behind', async (t) => {
    const { url, server, status, get } = await node(t)
    const calm = await status()
    assert.deepEqual(
      [calm.behind_events, calm.behind_seconds, calm.position, calm.oldest_transaction],
      [0, 0, calm.newest, null],
    )
    assert.deepEqual(calm.receivers, [{ id: 'shop', lag_events: 0, lag_seconds: 0, pending: 0, dead: 0 }])
    const writer = await openWriter(t, url, server.deps.meta.nid)
    await signedIn(server)
    const held = await until(async () => {
      const seen = await status()
      return seen.receivers[0].lag_seconds > 0 && seen.behind_seconds > 0 && seen
    })
    const { pid, application, age_seconds, since } = held.oldest_transaction
    assert.deepEqual([pid, application], [writer.pid, 'nightly "job"'])
    assert.ok(age_seconds > 0 && parseTime(since) <= parseTime(writer.wroteAt), JSON.stringify(held))
    // Until it wrote, the log went on: by then the transaction may have been open for a while.
    assert.ok(parseTime(held.complete_up_to) <= parseTime(writer.wroteAt), `${writer.wroteAt}: ${JSON.stringify(held)}`)
    // the event of the one that is open, and the one that waits behind it
    assert.deepEqual([held.behind_events, held.receivers[0].lag_events, held.receivers[0].pending], [2, 2, 0])
    assert.deepEqual([held.position, held.epoch, held.epoch_number], [calm.position, calm.epoch, calm.epoch_number])
    assert.ok(JSON.parse(await get('/admin/events/webhooks'))[0].lag_seconds > 0)
    await writer.commit()
    await until(async () => {
      const seen = await status()
      return seen.behind_events + seen.receivers[0].lag_events === 0 && seen.oldest_transaction === null
    })
  })

  test('metrics show it, and are left out while the database is away', async (t) => {
    const { url, server, get } = await node(t)
    const read = async (name: string) => {
      const line = (await get('/admin/metrics/prometheus')).split('\n').find((one) => one.startsWith(name))
      return line === undefined ? undefined : Number(line.split(' ').at(-1))
    }
    assert.equal(await read('lethe_event_log_behind_seconds'), 0)
    assert.equal(await read('lethe_event_log_behind_events'), 0)
    assert.equal(await read('lethe_event_log_epoch'), 1)
    assert.equal(await read('lethe_event_log_oldest_transaction_seconds'), undefined)
    const writer = await openWriter(t, url, server.deps.meta.nid)
    await signedIn(server)
    const by = `{pid="${writer.pid}",application="nightly \\"job\\""}`
    await until(async () => (await read(`lethe_event_log_oldest_transaction_seconds${by}`))! >= 1)
    assert.ok((await read('lethe_event_log_behind_seconds'))! > 0)
    assert.equal(await read('lethe_event_log_behind_events'), 2)
    assert.equal(await read('lethe_event_delivery_lag_events{receiver="shop"}'), 2)
    assert.ok((await read('lethe_event_delivery_lag_seconds{receiver="shop"}'))! > 0)
    await writer.commit()
    await until(async () => (await read('lethe_event_log_oldest_transaction_seconds')) === undefined)
    await server.db.close()
    assert.equal(await read('lethe_event_log_behind_seconds'), undefined)
    assert.equal(await read('lethe_event_delivery_lag_events'), undefined)
  })
})
