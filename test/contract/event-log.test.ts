import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Config } from '../../src/config/schema/schema.ts'
import { createHighWaterMark } from '../../src/events/log/high-water-mark.ts'
import { createEventRetention } from '../../src/events/log/retention.ts'
import { createEventLogStore, type EventPage } from '../../src/events/log/store.ts'
import { createMarkStore } from '../../src/events/log/store-marks.ts'
import { createDeliveryListStore } from '../../src/events/receivers/store-list.ts'
import { createWebhookStore } from '../../src/events/webhooks/store.ts'
import { parseTime } from '../../src/kernel/base/clock.ts'
import type { Db } from '../../src/kernel/db/client.ts'
import { sql } from '../../src/kernel/db/client.ts'
import { backends, createDatabase, openAt, postgres } from '../helpers/db.ts'
import { sessionRows, T0, T1 } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'

const ADD = sql(
  'test.add_event',
  `insert into lethe.events (id, type, cause, session_id, identity_id, nid, created_at)
   values (gen_random_uuid(), $1, $2, $3, $4, $5, $6) returning seq`,
)
const TOUCH = sql('test.touch', `insert into lethe.meta (key, value) values ('test', '1')`)
const ADD_DELIVERY = sql(
  'test.add_delivery',
  `insert into lethe.deliveries (webhook_id, seq, state, attempts, due_at, created_at) values ($1, $2, $3, 0, $4, $4)`,
)
const DELIVERED = sql('test.delivered', `update lethe.deliveries set state = 'delivered'`)
const ADD_WEBHOOK = sql(
  'test.add_webhook',
  'insert into lethe.webhooks (id, position, created_at, updated_at) values ($1, $2, now(), now())',
)
const MOVE_WEBHOOK = sql('test.move_webhook', 'update lethe.webhooks set position = $2 where id = $1')
const DELIVERIES = sql('test.deliveries', 'select seq from lethe.deliveries order by seq')

const everything: EventPage = {
  filter: {},
  before: { createdAt: '2100-01-01T00:00:00Z', seq: 0 },
  since: '2000-01-01T00:00:00Z',
  limit: 100,
}

function eventRows(db: Db, nid = randomUUID()) {
  const add = async (given: {
    type?: string
    session?: string
    identity?: string
    at?: string
    on?: Pick<Db, 'query'>
  }) => {
    const { type = 'session.created', session = randomUUID(), identity = randomUUID(), at = T0, on = db } = given
    const cause = type === 'session.ended' ? 'logout' : null
    return (await on.query<{ seq: number }>(ADD, [type, cause, session, identity, nid, at]))[0]!.seq
  }
  return { nid, add, log: createEventLogStore(db, nid) }
}

/** The mark of a node, as numbers. */
function headOf(db: Db) {
  const mark = createHighWaterMark(createMarkStore(db, undefined), () => {})
  return {
    advance: async () => (await mark.advance()).seq,
    newest: async () => (await mark.advance()).newest,
    isBehind: mark.isBehind,
  }
}

for (const backend of backends()) {
  describe(`contract=event log on ${backend.name}`, () => {
    test('is listed newest first, filtered, and page by page without a row twice or missing', async (t) => {
      const { add, log } = eventRows(await backend.open(t))
      const [session, identity] = [randomUUID(), randomUUID()]
      const seqs: number[] = []
      // two at each moment, so that the place decides between them
      for (let i = 0; i < 10; i++) seqs.push(await add({ at: `2026-11-22T12:00:0${Math.trunc(i / 2)}Z` }))
      const own = [
        await add({ session, identity, at: T1 }),
        await add({ type: 'session.ended', session, identity, at: T1 }),
      ]
      const list = async (page: Partial<EventPage>) =>
        (await log.list({ ...everything, ...page })).map(({ seq }) => seq)
      const all = [...seqs, ...own].reverse()
      assert.deepEqual(await list({}), all)
      const walked: number[] = []
      for (let before = everything.before; ; ) {
        const rows = await log.list({ ...everything, before, limit: 5 })
        walked.push(...rows.map(({ seq }) => seq))
        if (rows.length < 5) break
        before = { createdAt: rows.at(-1)!.created_at, seq: rows.at(-1)!.seq }
      }
      assert.deepEqual(walked, all)
      assert.deepEqual(await list({ filter: { sessionId: session } }), [...own].reverse())
      assert.deepEqual(await list({ filter: { sessionId: session, identityId: randomUUID() } }), [])
      assert.deepEqual(await list({ filter: { identityId: identity, types: ['session.ended'] } }), [own[1]])
      assert.deepEqual(await list({ filter: { causes: ['logout', 'expired'] } }), [own[1]])
      assert.deepEqual(await list({ since: T1 }), [...own].reverse())
      assert.deepEqual(await list({ before: { createdAt: T1, seq: 0 }, limit: 3 }), seqs.slice(-3).reverse())
      assert.deepEqual(await createEventLogStore(await backend.open(t), randomUUID()).list(everything), [])
    })

    test('is read in order between two places', async (t) => {
      const { add, log } = eventRows(await backend.open(t))
      const seqs = [await add({}), await add({ type: 'session.ended' }), await add({}), await add({})]
      const read = async (...given: Parameters<typeof log.read>) => (await log.read(...given)).map(({ seq }) => seq)
      assert.deepEqual(await read(0, seqs[3]!, 10), seqs)
      assert.deepEqual(await read(seqs[0]!, seqs[2]!, 10), seqs.slice(1, 3))
      assert.deepEqual(await read(0, seqs[3]!, 2), seqs.slice(0, 2))
      assert.deepEqual(await read(0, seqs[3]!, 10, { types: ['session.ended'] }), [seqs[1]])
      assert.deepEqual(
        (await log.last(seqs[2]!, 2, {})).map(({ seq }) => seq),
        [seqs[2], seqs[1]],
      )
    })

    test('tells an end with the device that the session began with', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db)
      const id = await rows.add()
      await rows.hot.revoke(id, { cause: 'logout' })
      const [end] = await createEventLogStore(db, rows.nid).list({
        ...everything,
        filter: { types: ['session.ended'] },
      })
      assert.deepEqual(end?.device, { ip_address: '192.0.2.1', user_agent: 'test', location: '' })
    })

    test('loses what is old, from its beginning, and remembers up to where', async (t) => {
      const db = await backend.open(t)
      const { add, log } = eventRows(db)
      assert.equal(await log.floor(), 0)
      const seqs: number[] = []
      for (let i = 0; i < 5; i++) seqs.push(await add({ at: T0 }))
      const young = await add({ at: T1 })
      // one that is being tried, one that waits for a disabled receiver, one of no receiver any more, one that was delivered
      await db.query(ADD_WEBHOOK, ['disabled', seqs[4]])
      await db.query(ADD_DELIVERY, ['w', seqs[1], 'pending', '2026-11-22T23:00:00Z'])
      await db.query(ADD_DELIVERY, ['disabled', seqs[0], 'pending', T0])
      await db.query(ADD_DELIVERY, ['w', seqs[2], 'pending', T0])
      await db.query(ADD_DELIVERY, ['disabled', seqs[3], 'delivered', T0])
      const until = '2026-11-22T18:00:00Z'
      const receivers = [{ id: 'disabled', types: undefined }]
      const remove = (limit: number) => log.deleteOld({ until, limit, after: undefined, receivers })
      // until it is known that nothing is still to come below, nobody may have read it
      assert.equal((await remove(10)).count, 0)
      await headOf(db).advance()
      assert.deepEqual([(await remove(3)).count, (await remove(10)).count, (await remove(10)).count], [1, 2, 0])
      assert.deepEqual(
        (await log.read(0, young, 10)).map(({ seq }) => seq),
        [seqs[0], seqs[1], young],
      )
      assert.deepEqual(await db.query(DELIVERIES), [{ seq: seqs[0] }, { seq: seqs[1] }])
      assert.equal(await log.floor(), seqs[4])
    })

    test('keeps what a receiver that is far behind wants, and nothing else beyond it', async (t) => {
      const db = await backend.open(t)
      const { add, log } = eventRows(db)
      const seqs: number[] = []
      for (let i = 0; i < 30; i++)
        seqs.push(await add({ at: T0, type: i % 3 === 0 ? 'session.ended' : 'session.created' }))
      await add({ at: T1, type: 'session.ended' })
      const places = { behind: seqs[8]!, present: seqs[29]!, forgotten: 0 }
      for (const [id, place] of Object.entries(places)) await db.query(ADD_WEBHOOK, [id, place])
      // the first ten wait in its queue, so that whole pages have nothing to delete
      for (const seq of seqs.slice(0, 10)) await db.query(ADD_DELIVERY, ['w', seq, 'pending', T1])
      const deleteOld = createEventRetention({
        config: () => ({ lethe: { events: { retention: 6 * 3_600_000 } } }) as Config,
        clock: { now: () => parseTime(T1) },
        store: log,
        highWaterMark: createHighWaterMark(createMarkStore(db, 'test'), () => {}),
        receivers: async () => [
          { id: 'behind', types: ['session.ended'] },
          { id: 'present', types: undefined },
        ],
      })
      const kept = (await log.read(0, seqs[29]!, 100))
        .filter(({ seq, type }) => seq <= seqs[9]! || type === 'session.ended')
        .map(({ seq }) => seq)
      assert.equal(await deleteOld(3), 30 - kept.length)
      assert.deepEqual(
        (await log.read(0, seqs[29]!, 100)).map(({ seq }) => seq),
        kept,
      )
      // what it has been given meanwhile goes, also at the beginning of the log
      await db.query(MOVE_WEBHOOK, ['behind', seqs[29]])
      await db.query(DELIVERED)
      assert.equal(await deleteOld(3), kept.length)
      assert.deepEqual(await log.read(0, seqs[29]!, 100), [])
      assert.equal((await log.last(seqs[29]! + 1, 100, {})).length, 1)
    })
  })
}

describe('a receiver that is removed', () => {
  const settings = { url: 'https://x', secrets: [], events: ['*'], headers: {}, timeoutMs: 1, enabled: true }
  const WAITING = sql(
    'test.waiting',
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )

  for (const [what, write] of Object.entries({
    made: (db: Db, nid: string) => createWebhookStore(db, nid).fanOut('w', 10, T1, undefined),
    'sent again': (db: Db, nid: string) =>
      createDeliveryListStore(db, nid).replay(
        { webhookId: 'w', now: T1, after: 0, upTo: 100, limit: 10 },
        'all',
        undefined,
      ),
  })) {
    test(`while its deliveries are ${what} leaves none to the next of its name`, async (t) => {
      const db = await postgres.open(t)
      const { add, nid } = eventRows(db)
      const webhooks = createWebhookStore(db, nid)
      await add({})
      await headOf(db).advance()
      await webhooks.add('w', settings, 0, T0)
      const removing = await db.tx(async (tx) => {
        await write({ ...db, query: tx.query }, nid)
        const removed = webhooks.remove('w')
        await until(async () => (await db.query(WAITING)).length > 0, 'the removal waits')
        return [removed]
      })
      assert.equal(await removing[0], true)
      assert.deepEqual(await db.query(DELIVERIES), [])
    })
  }
})

describe('the place up to which the log is complete', () => {
  test('does not pass a row that is not committed yet, and none is lost when it is', async (t) => {
    const db = await postgres.open(t)
    const { add, log } = eventRows(db)
    const head = headOf(db)
    const before = await add({})
    assert.equal(await head.advance(), before)
    const steps: number[] = []
    let [low, high] = [0, 0]
    await db.tx(async (tx) => {
      low = await add({ on: tx })
      high = await add({})
      // committed and seen, but one below it is still to come
      assert.ok(high > low && (await head.newest()) === high)
      steps.push(await head.advance(), await head.advance())
      assert.equal(head.isBehind(), true)
    })
    steps.push(await head.advance())
    assert.deepEqual(steps, [before, before, high])
    assert.deepEqual(
      (await log.read(before, high, 10)).map(({ seq }) => seq),
      [low, high],
    )
  })

  test('is asked for one mark at a time: an older answer that comes later looks like a log that went back', async (t) => {
    const db = await postgres.open(t)
    const store = createMarkStore(db, undefined)
    let [underWay, most] = [0, 0]
    const counted: typeof store = {
      ...store,
      async advance(known, seen) {
        most = Math.max(most, ++underWay)
        return store.advance(known, seen).finally(() => (underWay -= 1))
      },
    }
    const mark = createHighWaterMark(counted, () => {})
    const [first, second] = [mark.advance(), mark.advance()]
    await first
    // the second has been promised and has not begun
    await Promise.all([second, mark.advance(), mark.advance()])
    assert.equal(most, 1)
  })

  test('is known up to now at most, also where the clock of the database was set back', async (t) => {
    const db = await postgres.open(t)
    const { add } = eventRows(db)
    const mark = createHighWaterMark(createMarkStore(db, undefined), () => {})
    await add({})
    await mark.advance()
    await db.query(sql('test.ahead', `update lethe.event_epochs set complete_at = now() + interval '1 hour'`))
    const calm = await mark.advance()
    assert.equal(calm.completeAt, calm.readAt)
    await db.tx(async (tx) => {
      await add({ on: tx })
      await add({})
      const held = await mark.advance()
      assert.ok(held.completeAt < held.readAt, 'what is held back counts as known')
    })
  })

  test('passes one that was rolled back', async (t) => {
    const db = await postgres.open(t)
    const { add } = eventRows(db)
    const head = headOf(db)
    let high = 0
    await db
      .tx(async (tx) => {
        await add({ on: tx })
        high = await add({})
        assert.ok((await head.advance()) < high)
        throw new Error('no')
      })
      .catch(() => {})
    assert.equal(await head.advance(), high)
  })

  test('does not wait for transactions that write elsewhere, nor for readers', async (t) => {
    const db = await postgres.open(t)
    const { add } = eventRows(db)
    const head = headOf(db)
    await db.tx(async (tx) => {
      await tx.query(TOUCH)
      await createEventLogStore({ ...db, query: tx.query }, randomUUID()).read(0, 1, 1)
      const seq = await add({})
      assert.equal(await head.advance(), seq)
    })
  })

  test('nothing is missed, and a session ends after it began, while many write at once', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const [writers, reader] = [await openAt(t, url, { maxConnections: 12 }), await openAt(t, url)]
    const { nid, add } = eventRows(writers)
    const log = createEventLogStore(reader, nid)
    const head = headOf(reader)
    const seen: { seq: number; type: string; session_id: string | null }[] = []
    let place = 0
    const look = async () => {
      const now = await head.advance()
      seen.push(...(await log.read(place, now, 100_000)))
      place = now
    }
    let writing = true
    const reading = (async () => {
      while (writing) await look()
    })()
    const write = async (worker: number) => {
      for (let i = 0; i < 40; i++) {
        const session = randomUUID()
        await add({ session })
        // some in transactions that stay open for a while after their place was drawn
        const end = (on: Pick<Db, 'query'>) => add({ type: 'session.ended', session, on })
        if ((i + worker) % 3 === 0) {
          await writers.tx(async (tx) => {
            await end(tx)
            await add({})
          })
        } else await end(writers)
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, worker) => write(worker)))
    writing = false
    await reading
    for (let i = 0; i < 100 && place < (await head.newest()); i++) await look()
    assert.deepEqual(
      seen.map(({ seq }) => seq),
      (await log.read(0, Number.MAX_SAFE_INTEGER, 100_000)).map(({ seq }) => seq),
    )
    const began = new Set<string | null>()
    for (const { type, session_id } of seen) {
      if (type === 'session.created') began.add(session_id)
      else assert.ok(began.has(session_id), 'told that it ended before it was told that it began')
    }
    assert.equal(seen.filter(({ type }) => type === 'session.ended').length, 320)
  })
})
