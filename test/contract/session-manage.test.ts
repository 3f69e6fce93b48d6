import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { createSessionManageStore } from '../../src/sessions/lists/store-manage.ts'
import { backends } from '../helpers/db.ts'
import { sessionRows, T0, T1 } from '../helpers/sessions.ts'

const LATER = '2026-11-24T12:00:00Z'
const REVIVE = sql('test.revive', 'update sessions set active = true where id = $1')
const COUNT = sql(
  'test.count_session_manage',
  'select (select count(*) from sessions) as sessions, (select count(*) from session_devices) as devices',
)
const TOMBSTONES = sql('test.tombstones', 'select session_id from lethe.tombstones order by session_id')

const extension = { now: T0, expiresAt: LATER, onlyIfBefore: undefined }
const ended = (cause: string, identity_id: string) => (session_id: string) => ({
  type: 'session.ended',
  cause,
  session_id,
  identity_id,
})

for (const backend of backends()) {
  describe(`contract=session management on ${backend.name}`, () => {
    test('an admin ends a session once, and is told of one that is unknown', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db)
      const manage = createSessionManageStore(db, rows.nid, rows.shared)
      const id = await rows.add()
      assert.deepEqual([await manage.revokeKnown(id, T0), await manage.revokeKnown(id, T0)], [true, true])
      assert.equal(await manage.revokeKnown(randomUUID(), T0), false)
      assert.equal(await createSessionManageStore(db, randomUUID(), false).revokeKnown(id, T0), false)
      assert.equal((await rows.store.byId(id))?.active, false)
      assert.deepEqual(await rows.ends(), [id].map(ended('revoked_by_admin', rows.identityId)))
    })

    test('deleting the sessions of an identity tells the end of those that had none before', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db)
      const manage = createSessionManageStore(db, rows.nid, rows.shared)
      const live = [await rows.add(), await rows.add()].sort()
      const revoked = await rows.add()
      const foreign = await rows.add({ of: await rows.addIdentity() })
      await rows.hot.revoke(revoked, { cause: 'logout' })
      assert.deepEqual(
        [await manage.deleteAllOf(rows.identityId, T0), await manage.deleteAllOf(rows.identityId, T0)],
        [3, 0],
      )
      assert.deepEqual(await db.query(COUNT), [{ sessions: 1, devices: 1 }])
      assert.equal((await rows.store.byId(foreign))?.active, true)
      const expected = [
        ...live.map(ended('revoked_by_admin', rows.identityId)),
        ended('logout', rows.identityId)(revoked),
      ]
      assert.deepEqual(
        await rows.ends(),
        expected.sort((a, b) => (a.session_id < b.session_id ? -1 : 1)),
      )
    })

    test('a row that another writer inserts again after its deletion stays ended', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db, { shared: true })
      const manage = createSessionManageStore(db, rows.nid, true)
      const id = await rows.add()
      await manage.deleteAllOf(rows.identityId, T0)
      assert.deepEqual(await db.query(TOMBSTONES), [{ session_id: id }])
      await rows.add({ id })
      assert.equal((await rows.store.byId(id))?.tombstoned, true)
    })

    test('a live session is extended, unless too early', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db)
      const manage = createSessionManageStore(db, rows.nid, rows.shared)
      const id = await rows.add()
      assert.equal(await manage.extend(id, { ...extension, onlyIfBefore: T1 }), true)
      assert.equal((await rows.store.byId(id))?.expires_at, T1)
      assert.equal(await manage.extend(id, { ...extension, onlyIfBefore: '2026-11-23T12:00:00.000001Z' }), true)
      assert.equal((await rows.store.byId(id))?.expires_at, LATER)
      assert.equal(await manage.extend(randomUUID(), extension), false)
    })

    test('what has ended is not extended: revoked, expired, or revived by another writer', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db, { shared: true })
      const manage = createSessionManageStore(db, rows.nid, true)
      const [revoked, revived, expired] = [await rows.add(), await rows.add(), await rows.add({ expiresAt: T0 })]
      await rows.hot.revoke(revoked, { cause: 'logout' })
      await rows.hot.revoke(revived, { cause: 'logout' })
      await db.query(REVIVE, [revived])
      for (const id of [revoked, revived, expired]) {
        const before = await rows.store.byId(id)
        assert.equal(await manage.extend(id, extension), true)
        assert.deepEqual(await rows.store.byId(id), before)
      }
    })

    test('extending at the same moment never undoes an end, and each end is told once', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db)
      const manage = createSessionManageStore(db, rows.nid, rows.shared)
      const ids = []
      for (let i = 0; i < 20; i++) ids.push(await rows.add())
      const extend = (id: string) => manage.extend(id, extension)
      await Promise.all([
        ...ids.flatMap((id, i) =>
          i % 2 === 0
            ? [extend(id), manage.revokeKnown(id, T0), extend(id)]
            : [rows.hot.revoke(id, { cause: 'logout' }), extend(id), manage.revokeKnown(id, T0)],
        ),
        rows.store.revokeAllOf({ identityId: rows.identityId, cause: 'revoked_by_user', now: T0 }),
      ])
      for (const id of ids) assert.equal((await rows.store.byId(id))?.active, false)
      assert.deepEqual(
        (await rows.ends()).map((row) => row.session_id),
        ids.sort(),
      )
    })
  })
}
