import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { runHere } from '../cli/in-process.ts'
import { createKratosDatabase, openAt } from '../helpers/db.ts'
import { connectAsKratos, kratosWrites } from '../helpers/kratos-writes.ts'
import { LIVE } from '../helpers/live-kratos.ts'

/** Sessions of the smallest statement; `FAULT_ROWS=250000` for one of a million. */
const ROWS = Number(process.env.FAULT_ROWS ?? 4000)

test('a statement over many sessions costs what its rows cost, also after one over a single row', async (t) => {
  const url = await createKratosDatabase(t)
  const db = await openAt(t, url)
  await migrateUp(db)
  assert.equal((await runHere(['adopt', 'watch', 'on', '--yes', url])).code, 0)
  const client = await connectAsKratos(t, url)
  const kratos = kratosWrites(client, LIVE.network_id)
  const identity = await kratos.newIdentity()
  // plans are kept for the connection: made for one row, as Kratos's are
  for (let i = 0; i < 8; i += 1) {
    const id = await kratos.signIn(identity)
    await kratos.revoke(id)
    await kratos.deleteSessionsOf(identity)
  }
  const insert = (count: number) =>
    kratos.run(
      `insert into sessions (id, issued_at, expires_at, authenticated_at, identity_id, created_at, updated_at, token, active, nid,
         logout_token, aal, authentication_methods)
       select gen_random_uuid(), now(), now() + interval '1 day', now(), $2, now(), now(), 'st' || md5(n::text || $3::text), true, $4,
         'lo' || md5(n::text || $3::text), 'aal1', '[]' from generate_series(1, $1) n`,
      [count, identity, String(Math.random()), LIVE.network_id],
    )
  const STATEMENTS: [name: string, run: (count: number) => Promise<unknown>][] = [
    ['insert', insert],
    ['update', () => kratos.run('update sessions set active = false where identity_id = $1', [identity])],
    ['delete', () => kratos.run('delete from sessions where identity_id = $1', [identity])],
    ['insert again', insert],
    ['delete with its identity', () => kratos.deleteIdentity(identity)],
  ]
  const times = new Map<string, number[]>()
  for (const count of [ROWS, 2 * ROWS, 4 * ROWS]) {
    for (const [name, run] of STATEMENTS) {
      const started = performance.now()
      await run(count)
      times.set(name, [...(times.get(name) ?? []), performance.now() - started])
      if (name === 'delete') await kratos.run('delete from sessions')
    }
    await kratos.run(
      `insert into identities (id, schema_id, traits, created_at, updated_at, nid) values ($1, 'default', '{}', now(), now(), $2)`,
      [identity, LIVE.network_id],
    )
  }
  const { rows } = await client.query(
    `select type, count(*)::int as count from lethe.events where identity_id = $1 group by type order by type`,
    [identity],
  )
  const begun = 2 * 7 * ROWS + 8
  assert.deepEqual(rows, [
    { type: 'session.created', count: begun },
    { type: 'session.ended', count: begun },
  ])
  for (const [name, [one, two, four]] of times) {
    // four times the rows: sixteen times as long where each is compared with each; a pause of the machine lengthens one of them
    const all = `${name}: ${[one, two, four].map((ms) => Math.round(ms!))} ms`
    assert.ok(Math.min(4 * two!, four!) < 10 * Math.max(one!, 200) && one! < 60_000, all)
  }
  t.diagnostic(JSON.stringify([...times].map(([name, all]) => [name, ...all.map((ms) => Math.round(ms))])))
})
