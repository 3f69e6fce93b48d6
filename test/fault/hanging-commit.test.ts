import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { openDb } from '../../src/kernel/db/open.ts'
import { Client } from '../helpers/client.ts'
import { closingScope, openAt } from '../helpers/db.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'

/** Synchronous replication to a standby that is away: each commit waits for it, for as long as that takes. */
const LIMITS = { connectTimeoutMs: 20_000, acquireTimeoutMs: 20_000, statementTimeoutMs: 4000, lockTimeoutMs: 2000 }
const CONNECTIONS = 4
const ENDS = sql(
  'test.ends_hanging_commit',
  `select count(*)::int as n from lethe.events where type = 'session.ended' and session_id = $1`,
)
const ACTIVE = sql('test.active_hanging_commit', 'select active from sessions where id = $1')

describe('commits that wait for a standby that is away', () => {
  const scope = closingScope()
  let admin: pg.Client
  let db: Db
  let server: TestServer
  before(async () => {
    const postgres = await startPostgres(['fsync=off', 'unix_socket_directories=', 'synchronous_commit=on'])
    scope.after(() => postgres.stop())
    const own = await openDb(postgres.url)
    await migrateUp(own)
    await own.close()
    admin = new pg.Client({ connectionString: postgres.url })
    await admin.connect()
    scope.after(() => admin.end())
    db = await openAt(scope, postgres.url, { ...LIMITS, maxConnections: CONNECTIONS })
    server = await testServer(scope, { db })
  })
  after(() => scope.close())

  async function waitFor(standby: string): Promise<void> {
    await admin.query(`alter system set synchronous_standby_names = '${standby}'`)
    await admin.query('select pg_reload_conf()')
    await until(
      async () => (await admin.query('show synchronous_standby_names')).rows[0].synchronous_standby_names === standby,
    )
  }

  const hanging = async (): Promise<number> =>
    (await admin.query(`select count(*)::int as n from pg_stat_activity where wait_event = 'SyncRep'`)).rows[0].n
  const whoami = (token: string) =>
    new Client(server).send('GET', `${server.publicUrl}/sessions/whoami`, { headers: { 'x-session-token': token } })
  const logout = (token: string) =>
    new Client(server).send('DELETE', `${server.publicUrl}/self-service/logout/api`, { json: { session_token: token } })

  test('reads go on, writes are told that the outcome is not known, and the server is not filled with them', async () => {
    const people = await Promise.all(Array.from({ length: 8 }, () => signedIn(server)))
    const reader = await signedIn(server)
    await waitFor('nobody')

    let most = 0
    for (let seen = 0; seen < 3; ) {
      let answered = false
      const leaving = Promise.all(people.map(({ token }) => logout(token))).finally(() => {
        answered = true
      })
      // They hang for seconds, which a pause may hide from this process: then once more.
      await until(async () => (await hanging()) > 0 || answered)
      if (!answered) seen += 1
      for (let i = 0; i < 40; i++) assert.equal((await whoami(reader.token)).status, 200)
      for (const reply of await leaving) {
        assert.equal(reply.status, 503, reply.text)
        assert.ok(Number(reply.headers.get('retry-after')) > 0)
      }
      most = Math.max(most, await hanging())
    }
    assert.ok(most < CONNECTIONS, `${most} commits hang`)

    await waitFor('')
    for (const { token } of people) await until(async () => [204, 400, 403].includes((await logout(token)).status))
    for (const { token, session } of people) {
      assert.equal((await whoami(token)).status, 401)
      assert.deepEqual(await db.query(ENDS, [session.id]), [{ n: 1 }])
      assert.deepEqual(await db.query(ACTIVE, [session.id]), [{ active: false }])
    }
    assert.equal((await whoami(reader.token)).status, 200)
    await until(async () => db.connections!().used === 0)
  })

  test('a commit that was told to be unknown says so', async () => {
    const { token } = await signedIn(server)
    await waitFor('nobody')
    const reply = await logout(token)
    assert.match(reply.body.error.reason, /not known/)
    await waitFor('')
  })
})
