import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { createSessionListStore, type ListQuery } from '../../src/sessions/lists/store.ts'
import { backends } from '../helpers/db.ts'
import { sessionRows, T0 } from '../helpers/sessions.ts'

const END = { createdAt: '2200-12-31T23:59:59Z', id: '00000000-0000-0000-0000-000000000000' }
const ALL: ListQuery = { filter: 'any', now: T0, after: END, limit: 100, withIdentity: false, withDevices: false }
const PAGE = { filter: 'any', now: T0, except: undefined, limit: 100, offset: 0 } as const
const FORGET_ACTIVE = sql('test.forget_active', 'update sessions set active = null where id = $1')

const at = (micros: number) => `2026-11-22T11:00:00.${String(micros).padStart(6, '0')}Z`
const ids = (rows: { id: string }[]) => rows.map((row) => row.id)

for (const backend of backends()) {
  describe(`contract=session lists on ${backend.name}`, () => {
    test('a walk by keys meets each row once, also those of one microsecond', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db)
      const list = createSessionListStore(db, rows.nid)
      const added: string[] = []
      for (const micros of [1, 2, 2, 2, 11, 12]) added.push(await rows.add({ now: at(micros) }))
      const seen: string[] = []
      let after = END
      for (;;) {
        const [row] = await list.list({ ...ALL, after, limit: 1 })
        if (!row) break
        seen.push(row.id)
        after = { createdAt: row.listedAt, id: row.id }
        // A session that begins during the walk is before its first page.
        await rows.add({ now: at(100 + seen.length) })
        assert.ok(seen.length <= added.length, 'the walk goes on for ever')
      }
      const [first, ...rest] = added
      const sameTime = rest.slice(0, 3).sort()
      assert.deepEqual(seen, [added[5], added[4], ...sameTime, first])
    })

    test('filters go by flag and expiry; a row without a flag is inactive', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db)
      const list = createSessionListStore(db, rows.nid)
      const live = await rows.add({ now: at(1) })
      const expired = await rows.add({ now: at(2), expiresAt: T0 })
      const revoked = await rows.add({ now: at(3) })
      const unknown = await rows.add({ now: at(4) })
      await rows.hot.revoke(revoked, { cause: 'logout' })
      await db.query(FORGET_ACTIVE, [unknown])
      for (const [filter, expected] of [
        ['any', [unknown, revoked, expired, live]],
        ['active', [live]],
        ['inactive', [unknown, revoked, expired]],
      ] as const) {
        assert.deepEqual(ids(await list.list({ ...ALL, filter })), expected, filter)
        const of = await list.listOf(rows.identityId, { ...PAGE, filter })
        assert.deepEqual([ids(of.sessions), of.total], [expected, expected.length], filter)
      }
    })

    test('a session that another writer revived counts as inactive', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db, { shared: true })
      const list = createSessionListStore(db, rows.nid)
      const id = await rows.add()
      await rows.hot.revoke(id, { cause: 'logout' })
      await db.query(sql('test.revive', 'update sessions set active = true where id = $1'), [id])
      assert.deepEqual(ids(await list.list({ ...ALL, filter: 'active' })), [])
      assert.deepEqual(ids(await list.list({ ...ALL, filter: 'inactive' })), [id])
      assert.equal((await list.listOf(rows.identityId, { ...PAGE, filter: 'active' })).total, 0)
    })

    test('identity and devices are read when asked for', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db)
      const list = createSessionListStore(db, rows.nid)
      await rows.add()
      const [bare] = await list.list(ALL)
      assert.deepEqual([bare?.identity, bare?.devices], [null, null])
      const [full] = await list.list({ ...ALL, withIdentity: true, withDevices: true })
      assert.equal(full?.identity?.id, rows.identityId)
      assert.deepEqual(
        full?.devices?.map((device) => device.ip_address),
        ['192.0.2.1'],
      )
    })

    test('a list of one identity shows no others, leaves one out, and counts beyond its end', async (t) => {
      const db = await backend.open(t)
      const rows = await sessionRows(db)
      const list = createSessionListStore(db, rows.nid)
      const [one, two, three] = [
        await rows.add({ now: at(1) }),
        await rows.add({ now: at(2) }),
        await rows.add({ now: at(3) }),
      ]
      await rows.add({ of: await rows.addIdentity() })
      const page = await list.listOf(rows.identityId, { ...PAGE, except: two, limit: 1, offset: 1 })
      assert.deepEqual([ids(page.sessions), page.total], [[one], 2])
      const beyond = await list.listOf(rows.identityId, { ...PAGE, offset: Number.MAX_SAFE_INTEGER })
      assert.deepEqual(beyond, { total: 3, size: 100, sessions: [] })
      assert.equal((await list.listOf(randomUUID(), PAGE)).total, 0)
      assert.equal((await createSessionListStore(db, randomUUID()).listOf(rows.identityId, PAGE)).total, 0)
      assert.ok(ids((await list.listOf(rows.identityId, PAGE)).sessions).includes(three))
    })
  })
}
