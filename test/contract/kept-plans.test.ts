import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
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
