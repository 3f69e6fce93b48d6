import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { openKratos, ownedBackends, postgres } from '../helpers/db.ts'
import { printStructure, structureOf } from '../helpers/structure.ts'

const DUMP = new URL('../fixtures/schema.txt', import.meta.url)

describe('the tables that the migrations make', () => {
  for (const backend of ownedBackends()) {
    test(`on ${backend.name} are those of test/fixtures/schema.txt (UPDATE_FIXTURES=1 writes it anew)`, async (t) => {
      const actual = printStructure(await structureOf(await backend.open(t)))
      if (process.env.UPDATE_FIXTURES === '1') await writeFile(DUMP, actual)
      assert.equal(actual, await readFile(DUMP, 'utf8'))
    })
  }

  test('are those of Kratos, but for how session rows, their list and user handles are kept', async (t) => {
    const ours = await structureOf(await postgres.open(t))
    const theirs = await structureOf(await openKratos(t))
    const differences: string[] = []
    for (const [table, lines] of ours) {
      if (table.startsWith('lethe.')) continue
      const known = new Set(theirs.get(table))
      const mine = new Set(lines)
      for (const line of mine) if (!known.has(line)) differences.push(`+ ${table}: ${line}`)
      for (const line of known) if (!mine.has(line)) differences.push(`- ${table}: ${line}`)
    }
    assert.deepEqual(differences, [
      "+ identity_credentials: CREATE INDEX identity_credentials_user_handle_idx ON public.identity_credentials USING btree (((config ->> 'user_handle'::text))) WHERE (config ? 'user_handle'::text)",
      '+ sessions: CREATE INDEX sessions_list_unexpired_idx ON public.sessions USING btree (nid, expires_at, created_at DESC, id)',
      '+ sessions: options with fillfactor=85',
      '- sessions: CREATE INDEX sessions_list_active_idx ON public.sessions USING btree (nid, expires_at, active, created_at DESC, id)',
    ])
  })

  test('have the credential types of Kratos, with their ids', async (t) => {
    const read = sql('test.types_db_schema', 'select id, name from identity_credential_types order by name')
    assert.deepEqual(await (await postgres.open(t)).query(read), await (await openKratos(t)).query(read))
  })

  test('let a session end without touching an index', async (t) => {
    const db = await postgres.open(t)
    const id = '00000000-0000-4000-8000-000000000001'
    const now = '2026-11-22T10:00:00Z'
    await db.query(sql('test.nid', 'insert into networks (id, created_at, updated_at) values ($1, $2, $2)'), [id, now])
    await db.query(
      sql(
        'test.identity',
        `insert into identities (id, schema_id, traits, created_at, updated_at, nid) values ($1, 's', '{}', $2, $2, $1)`,
      ),
      [id, now],
    )
    await db.query(
      sql(
        'test.sessions',
        `insert into sessions (id, expires_at, authenticated_at, identity_id, created_at, updated_at, token, active, nid, logout_token, authentication_methods)
         select gen_random_uuid(), $2, $2, $1, $2, $2, 't' || n, true, $1, 'l' || n, '[]' from generate_series(1, 500) n`,
      ),
      [id, now],
    )
    await db.tx(async (tx) => {
      await tx.query(
        sql('test.end', `update sessions set active = false where token in ('t1', 't100', 't200', 't300', 't400')`),
      )
      // counts of the transaction itself: those of all appear after a while only
      const [row] = await tx.query(
        sql(
          'test.hot',
          `select n_tup_upd as updated, n_tup_hot_upd as hot from pg_stat_xact_user_tables where relname = 'sessions'`,
        ),
      )
      assert.deepEqual(row, { updated: 5, hot: 5 })
    })
  })

  for (const backend of ownedBackends()) {
    test(`let a session end once only, on ${backend.name}`, async (t) => {
      const db = await backend.open(t)
      const add = sql(
        'test.event',
        `insert into lethe.events (id, type, session_id, nid, created_at)
         values (gen_random_uuid(), $1, '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002', $2)`,
      )
      const now = '2026-11-22T10:00:00Z'
      await db.query(add, ['session.ended', now])
      await db.query(add, ['session.extended', now])
      await db.query(add, ['session.extended', now])
      await assert.rejects(db.query(add, ['session.ended', now]), { constraint: 'events_session_ended_once_idx' })
    })
  }
})
