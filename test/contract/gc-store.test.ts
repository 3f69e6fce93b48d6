import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import type { Config } from '../../src/config/schema/schema.ts'
import { formatTime, type Micros, SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { loadMeta } from '../../src/kernel/db/meta.ts'
import { createCollector } from '../../src/maintenance/collector.ts'
import { createGc } from '../../src/maintenance/service.ts'
import { createGcStore } from '../../src/maintenance/store.ts'
import { backends, createDatabase, isAdopted, openAt, postgres, type Scope } from '../helpers/db.ts'
import { until } from '../helpers/until.ts'

const HOUR = 3600 * SECOND
const ADD_IDENTITY = sql(
  'test.add_identity',
  `insert into identities (id, schema_id, traits, created_at, updated_at, nid) values ($1, 'default', '{}', $2, $2, $3)`,
)
const ADD_SESSION = sql(
  'test.add_session',
  `insert into sessions (id, issued_at, expires_at, authenticated_at, identity_id, created_at, updated_at, active, nid,
     authentication_methods) values ($1, $2, $3, $2, $4, $2, $2, $5, $6, '[]')`,
)
const ADD_FLOW = sql(
  'test.add_flow',
  `insert into selfservice_login_flows (id, request_url, issued_at, expires_at, active_method, csrf_token, created_at,
     updated_at, nid, internal_context) values ($1, '', $2, $3, '', '', $2, $2, $4, '{}')`,
)
const ADD_EXCHANGE = sql(
  'test.add_exchange',
  `insert into session_token_exchanges (id, nid, flow_id, init_code, return_to_code, created_at, updated_at)
   values ($1, $2, $1, 'i', 'r', $3, $3)`,
)
const ADD_END = sql(
  'test.add_end',
  `insert into lethe.events (id, type, cause, session_id, nid, created_at)
   values (gen_random_uuid(), 'session.ended', 'logout', $1, $2, $3)`,
)
const REVIVE = sql('test.revive', 'update sessions set active = true where id = $1')
const LOSE_EVENTS = sql('test.lose_events', 'delete from lethe.events')
const RESTART_PLACES = sql('test.restart_places', 'alter sequence lethe.events_seq_seq restart')
const NEW_EPOCH = sql(
  'test.new_epoch',
  `insert into lethe.event_epochs (number, id, server, begins_after, complete, complete_at, reason, begun_at)
   select coalesce(max(number), 0) + 1, 'after', 'another', 0, 0, now(), 'went_back', now() from lethe.event_epochs`,
)
const SESSIONS = sql('test.sessions_gc_store', 'select id, active from sessions order by id')
const ENDS = sql(
  'test.ends_gc_store',
  `select session_id, cause from lethe.events where type = 'session.ended' order by session_id`,
)
const NOTES = sql(
  'test.notes',
  'select session_id from lethe.tombstones union all select session_id from lethe.last_seen',
)
const ADD_SEEN = sql('test.add_seen', 'insert into lethe.last_seen (session_id, seen_at) values ($1, $2)')
const COUNT = {
  selfservice_login_flows: sql('test.count_flows', 'select id from selfservice_login_flows'),
  session_token_exchanges: sql('test.count_exchanges', 'select id from session_token_exchanges'),
}

async function fixture(db: Db, given: { shared?: boolean } = {}) {
  const shared = given.shared ?? (await isAdopted(db))
  const clock = systemClock()
  const now = clock.now()
  const { nid } = await loadMeta(db, { kind: 'owned', now: formatTime(now), random: randomBytes })
  const identity = randomUUID()
  await db.query(ADD_IDENTITY, [identity, formatTime(now), nid])
  const gc = () => createGc({ store: createGcStore(db, nid, shared), clock })
  return {
    ...{ nid, now, gc },
    async session(expires: Micros, active = true): Promise<string> {
      const id = randomUUID()
      const values = [id, formatTime(expires - 24 * HOUR), formatTime(expires), identity, active, nid]
      await db.query(ADD_SESSION, values)
      return id
    },
    sessions: () => db.query<{ id: string; active: boolean }>(SESSIONS),
    ends: () => db.query<{ session_id: string; cause: string }>(ENDS),
  }
}

for (const backend of backends()) {
  const open = (t: Scope) => backend.open(t)
  describe(`contract=gc store on ${backend.name}`, () => {
    it('ends what has expired with one event each, in batches, once', async (t) => {
      const db = await open(t)
      const f = await fixture(db)
      const live = await f.session(f.now + HOUR)
      const expired = [await f.session(f.now - 3 * HOUR), await f.session(f.now - 2 * HOUR), await f.session(f.now - 1)]
      const gc = f.gc()
      assert.equal(await gc.endExpiredSessions(2), 3)
      assert.equal(await gc.endExpiredSessions(2), 0)
      assert.equal(await f.gc().endExpiredSessions(2), 0)
      const rows = await f.sessions()
      assert.deepEqual(
        rows.filter(({ active }) => active).map(({ id }) => id),
        [live],
      )
      assert.deepEqual(
        await f.ends(),
        expired.sort().map((session_id) => ({ session_id, cause: 'expired' })),
      )
    })

    it('deletes only sessions that are past the limit and have ended', async (t) => {
      const f = await fixture(await open(t))
      const kept = [await f.session(f.now + HOUR), await f.session(f.now - HOUR), await f.session(f.now - 9 * HOUR)]
      for (let i = 0; i < 5; i++) await f.session(f.now - 8 * HOUR, false)
      const until = f.now - 6 * HOUR
      assert.equal(await f.gc().deleteExpiredSessions({ until, limit: 2 }), 5)
      assert.deepEqual(
        (await f.sessions()).map(({ id }) => id),
        kept.sort(),
      )
      await f.gc().endExpiredSessions(2)
      assert.equal(await f.gc().deleteExpiredSessions({ until, limit: 2 }), 1)
      assert.equal((await f.ends()).length, 2)
    })

    it('deletes sessions that were ended long ago, though they would still be valid', async (t) => {
      const db = await open(t)
      const f = await fixture(db)
      const old = [await f.session(f.now + HOUR, false), await f.session(f.now + HOUR, false)]
      const [fresh, back] = [await f.session(f.now + HOUR, false), await f.session(f.now + HOUR, true)]
      for (const id of [...old, back]) await db.query(ADD_END, [id, f.nid, formatTime(f.now - 30 * HOUR)])
      await db.query(ADD_END, [fresh, f.nid, formatTime(f.now - HOUR)])
      await db.query(ADD_SEEN, [old[0], formatTime(f.now)])
      const gc = f.gc()
      assert.equal(await gc.deleteEndedSessions({ until: f.now - 24 * HOUR, limit: 1 }), 2)
      assert.equal(await gc.deleteEndedSessions({ until: f.now - 24 * HOUR, limit: 1 }), 0)
      assert.deepEqual(
        (await f.sessions()).map(({ id }) => id),
        [fresh, back].sort(),
      )
      assert.deepEqual(await db.query(NOTES), [])
    })

    for (const { title, ends, epoch } of [
      { title: 'by a log that has grown again since', ends: 5, epoch: true },
      { title: 'by a log that is shorter, though nobody follows it', ends: 1, epoch: false },
    ]) {
      it(`begins again in a database that went back, seen ${title}`, async (t) => {
        const db = await open(t)
        const f = await fixture(db)
        const gc = f.gc()
        const sweep = { until: f.now - 24 * HOUR, limit: 2 }
        const ended = async () => {
          await db.query(ADD_END, [await f.session(f.now + HOUR, false), f.nid, formatTime(f.now - 30 * HOUR)])
        }
        const expired = await f.session(f.now - 5 * HOUR)
        await gc.endExpiredSessions(2)
        for (let i = 0; i < 3; i++) await ended()
        assert.equal(await gc.deleteEndedSessions(sweep), 3)

        // as a backup has it that was made before: the end is gone, and its place is given out again
        await db.query(LOSE_EVENTS)
        await db.query(RESTART_PLACES)
        await db.query(REVIVE, [expired])
        for (let i = 0; i < ends; i++) await ended()
        if (epoch) await db.query(NEW_EPOCH)

        assert.equal(await gc.endExpiredSessions(2), 1)
        assert.equal(await gc.deleteEndedSessions(sweep), ends)
        assert.deepEqual(await f.sessions(), [{ id: expired, active: false }])
        assert.deepEqual([await gc.endExpiredSessions(2), await gc.deleteEndedSessions(sweep)], [0, 0])
      })
    }

    it('leaves a tombstone where another program may write the session, and takes it away with the row', async (t) => {
      const db = await open(t)
      const f = await fixture(db, { shared: true })
      const id = await f.session(f.now - HOUR)
      await f.gc().endExpiredSessions(10)
      assert.deepEqual(await db.query(NOTES), [{ session_id: id }])
      await f.gc().deleteExpiredSessions({ until: f.now, limit: 10 })
      assert.deepEqual(await db.query(NOTES), [])
    })

    it('deletes notes on sessions that another program deleted', async (t) => {
      const db = await open(t)
      const f = await fixture(db)
      const live = await f.session(f.now + HOUR)
      for (const id of [live, randomUUID(), randomUUID()]) await db.query(ADD_SEEN, [id, formatTime(f.now - HOUR)])
      assert.equal(await f.gc().deleteOrphans({ until: f.now, limit: 1 }), 2)
      assert.deepEqual(await db.query(NOTES), [{ session_id: live }])
    })

    it('deletes what is old in the other tables, but no exchange that may still be used', async (t) => {
      const db = await open(t)
      const f = await fixture(db)
      const times = [f.now + HOUR, f.now - 1, f.now - 2 * HOUR]
      for (const at of times) await db.query(ADD_FLOW, [randomUUID(), formatTime(f.now), formatTime(at), f.nid])
      for (const at of times) await db.query(ADD_EXCHANGE, [randomUUID(), f.nid, formatTime(at)])
      const gc = f.gc()
      for (const table of await gc.existingTables()) await gc.deleteOld(table, { until: f.now, limit: 1 })
      assert.equal((await db.query(COUNT.selfservice_login_flows)).length, 1)
      assert.equal((await db.query(COUNT.session_token_exchanges)).length, 2)
      assert.ok((await gc.existingTables()).includes('selfservice_recovery_flows'))
    })
  })
}

describe('contract=gc store between connections', () => {
  it('passes over rows that others hold, and shares the work with a second collector', async (t) => {
    const db = await postgres.open(t)
    const f = await fixture(db)
    const held = await f.session(f.now - 2 * HOUR)
    for (let i = 0; i < 40; i++) await f.session(f.now - HOUR)
    await db.tx(async (tx) => {
      await tx.query(sql('test.hold', 'select id from sessions where id = $1 for update'), [held])
      const counts = await Promise.all([f.gc().endExpiredSessions(3), f.gc().endExpiredSessions(3)])
      const { length } = await f.ends()
      assert.equal(counts[0] + counts[1], length)
      assert.ok(!(await f.ends()).some(({ session_id }) => session_id === held))
    })
    await f.gc().endExpiredSessions(3)
    assert.equal((await f.ends()).length, 41)
  })

  it('runs a round on one node for as long as it takes, and one kind that fails keeps no other from its turn', async (t) => {
    let asked = 0
    const onStatement = (name: string) => {
      if (name === 'gc.try_lock') asked += 1
    }
    const url = await createDatabase(t, { migrated: true })
    const [db, other] = [await openAt(t, url, { onStatement }), await openAt(t, url)]
    const f = await fixture(db)
    await db.query(ADD_FLOW, [randomUUID(), formatTime(f.now), formatTime(f.now - HOUR), f.nid])
    const gc = { batch_size: 10, session_retention: 0, flow_retention: 0, error_retention: 0 }
    const config = { lethe: { gc, events: {} } } as unknown as Config
    const parts = { config: () => config, clock: systemClock(), deletes: true, log: { warn() {}, debug() {} } }
    const collector = createCollector({
      ...parts,
      store: createGcStore(db, f.nid, false),
      gc: f.gc(),
      async deleteOldEvents() {
        // the server ends a transaction that is silent for long, with its lock
        await until(() => asked > 2, 'a sign of life of the round')
        const store = createGcStore(other, f.nid, false)
        assert.deepEqual(await createCollector({ ...parts, store, gc: f.gc() }).round(), {})
        return db.query(sql('test.no_table', 'select from no_table')).then(() => 0)
      },
    })
    await assert.rejects(collector.round(), /test\.no_table/)
    assert.deepEqual(await db.query(COUNT.selfservice_login_flows), [])
  })
})
