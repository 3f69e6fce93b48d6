import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import pg from 'pg'
import { createAttemptStore } from '../../src/flows/login/store-attempts.ts'
import { closingScope, createDatabase, openAt } from '../helpers/db.ts'
import { keptFor, recording, scansOf } from '../helpers/plans.ts'
import { testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

const READ = new Map([
  ['session.by_token', {}],
  ['session.by_token_by_rules', { sessions: { idle_timeout: '30m', absolute_timeout: '12h' } }],
])

for (const [name, lethe] of READ) {
  test(`${name} is planned once, however many tokens come, and by indexes from the first session on`, async (t) => {
    const scope = closingScope()
    t.after(() => scope.close())
    const url = await createDatabase(scope, { migrated: true })
    const recorded = recording(await openAt(scope, url))
    const server = await testServer(scope, { db: recorded.db, config: { lethe } })
    assert.equal(await (await signedIn(server)).whoami(), 200)
    const { statement, values } = recorded.sent.get(name)!
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    scope.after(() => client.end())
    const many = Array.from({ length: 64 }, (_, index) => `s2_${index}`)
    const sent = (tokens: readonly string[]) => ({
      statement,
      values: values.map((value) => (Array.isArray(value) ? tokens : value)),
    })
    for (const tokens of [many.slice(0, 1), many]) {
      assert.ok(await keptFor(client, sent(tokens)), `planned anew for ${tokens.length}`)
    }
    // Nobody has counted the rows yet: the plan that is kept now is the one for all that come until somebody does.
    for (const { table, index } of await scansOf(client, sent(many), true)) {
      if (table !== 'lethe.tombstones') assert.ok(index, `${table} would be read whole`)
    }
  })
}

test('failed logins are counted with one plan, by the index from the first one on', async (t) => {
  const scope = closingScope()
  t.after(() => scope.close())
  const url = await createDatabase(scope, { migrated: true })
  const { db, sent } = recording(await openAt(scope, url))
  await createAttemptStore(db, randomUUID()).reached([{ key: 'one', allowed: 5 }], 0)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  scope.after(() => client.end())
  const reached = sent.get('login_failures.reached')!
  const scans = await scansOf(client, reached, true)
  assert.deepEqual(
    scans.filter(({ table }) => table === 'lethe.login_failures').map(({ index }) => index),
    ['login_failures_pkey'],
  )
  await client.query('set plan_cache_mode = auto')
  await client.query(
    "insert into lethe.login_failures (key, times, expires_at) select 'k' || i, '{1}', 5 from generate_series(1, 20000) i",
  )
  await client.query('analyze lethe.login_failures')
  assert.ok(await keptFor(client, reached), 'planned anew')
})
