import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { StoreError, sql } from '../../src/kernel/db/client.ts'
import { loadMeta, MetaMismatch, type MetaOptions } from '../../src/kernel/db/meta.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { createDatabase, openAt, openKratos, ownedBackends } from '../helpers/db.ts'

const OWNED: MetaOptions = { kind: 'owned', now: '2026-11-22T10:00:00.123456Z', random: randomBytes }
const NETWORKS = sql('test.networks', 'select id, created_at from networks')
const OLD_NETWORK = sql('test.add_network', `insert into networks (id, created_at, updated_at) values ($1, $2, $2)`)

for (const backend of ownedBackends()) {
  describe(`contract=what all nodes agree on, on ${backend.name}`, () => {
    test('is made once and then read', async (t) => {
      const db = await backend.open(t)
      const made = await loadMeta(db, OWNED)
      assert.deepEqual([made.kind, made.tokens, made.serverSecret.length], ['owned', 'sha256', 32])
      assert.match(made.nid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.deepEqual(await db.query(NETWORKS), [{ id: made.nid, created_at: OWNED.now }])
      assert.deepEqual(await loadMeta(db, { ...OWNED, kind: 'adopted' }), made, 'what is recorded wins')
      assert.equal((await db.query(NETWORKS)).length, 1)
    })

    test('starts with the same network on all nodes: the oldest', async (t) => {
      const db = await backend.open(t)
      const [younger, older] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002']
      await db.query(OLD_NETWORK, [younger, '2026-01-02T00:00:00.000002Z'])
      await db.query(OLD_NETWORK, [older, '2026-01-02T00:00:00.000001Z'])
      assert.equal((await loadMeta(db, OWNED)).nid, older)
      assert.equal((await db.query(NETWORKS)).length, 2)
    })

    test('keeps the form of tokens that it began with, and refuses another', async (t) => {
      const db = await backend.open(t)
      assert.equal((await loadMeta(db, { ...OWNED, tokens: 'plain' })).tokens, 'plain')
      assert.equal((await loadMeta(db, OWNED)).tokens, 'plain')
      await assert.rejects(loadMeta(db, { ...OWNED, tokens: 'sha256' }), MetaMismatch)
    })

    test('is refused when it was changed to something unknown', async (t) => {
      const db = await backend.open(t)
      await loadMeta(db, OWNED)
      await db.query(sql('test.spoil', `update lethe.meta set value = '"md5"' where key = 'tokens'`))
      await assert.rejects(loadMeta(db, OWNED), StoreError)
    })
  })
}

describe('what all nodes agree on', () => {
  test('is the same for twenty that start at once', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const nodes = await Promise.all(Array.from({ length: 20 }, () => openAt(t, url, { maxConnections: 2 })))
    const [first, ...others] = await Promise.all(nodes.map((db) => loadMeta(db, OWNED)))
    for (const other of others) assert.deepEqual(other, first)
    assert.equal((await nodes[0]!.query(NETWORKS)).length, 1)
  })

  test("in the database of a Kratos: Kratos's network, and tokens as Kratos reads them", async (t) => {
    const db = await openKratos(t)
    await migrateUp(db)
    const before = await db.query<{ id: string }>(NETWORKS)
    const hashed = loadMeta(db, { ...OWNED, kind: 'adopted', tokens: 'sha256' })
    await assert.rejects(hashed, /Kratos reads the tokens of this database as they are/)
    assert.deepEqual(await db.query(sql('test.no_meta', 'select key from lethe.meta')), [])
    const meta = await loadMeta(db, { ...OWNED, kind: 'adopted' })
    assert.deepEqual([meta.kind, meta.tokens, meta.nid], ['adopted', 'plain', before[0]!.id])
    assert.deepEqual(await db.query(NETWORKS), before)
  })
})
