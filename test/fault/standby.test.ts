import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { openDb } from '../../src/kernel/db/open.ts'
import { CHECK_PRIMARY, cameFromStandby, onPrimary } from '../../src/kernel/db/postgres/statement-kind.ts'
import { createReadiness } from '../../src/ops/readiness.ts'
import { Client, createPerson, type Person, signIn } from '../helpers/client.ts'
import { closingScope, openAt } from '../helpers/db.ts'
import { type TestServer as Postgres, startPostgres } from '../helpers/postgres.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { proxyTo } from '../helpers/tcp-proxy.ts'
import { until } from '../helpers/until.ts'

/**
 * A primary and a standby that has stopped applying what it gets: the worst that a name, a pooler or a load balancer can
 * lead to. It answers every read, with what was true some time ago.
 */
const LIMITS = { connectTimeoutMs: 2000, acquireTimeoutMs: 2000, statementTimeoutMs: 2000, lockTimeoutMs: 500 }
const WHO = sql('test.who', `select current_setting('port')::int as port`)

async function run(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

describe('a standby behind the address', () => {
  const scope = closingScope()
  let primary: Postgres
  let standby: Postgres
  let proxy: Awaited<ReturnType<typeof proxyTo>>
  let db: Db
  let server: TestServer
  let person: Person
  const ready = () => createReadiness(db)()

  before(async () => {
    primary = await startPostgres()
    scope.after(() => primary.stop())
    const own = await openDb(primary.url)
    await migrateUp(own)
    await own.close()
    standby = await primary.standby()
    scope.after(() => standby.stop())
    proxy = await proxyTo(scope, primary.url)
    db = await openAt(scope, proxy.url, LIMITS)
    server = await testServer(scope, { db })
    person = await createPerson(server)
  })
  after(() => scope.close())

  const whoami = async (token: string) =>
    new Client(server).send('GET', `${server.publicUrl}/sessions/whoami`, { headers: { 'x-session-token': token } })
  const logout = async (token: string) =>
    new Client(server).send('DELETE', `${server.publicUrl}/self-service/logout/api`, { json: { session_token: token } })
  const identity = async () => (await server.deps.identities.findByPasswordIdentifier(person.email))!.identity

  test('is not asked: not ready, 503 for reads and writes, and nothing of it stays when the address is right again', async () => {
    const ended = await signedIn(server, await identity())
    const alive = await signedIn(server, await identity())
    const [before] = await run(primary.url, 'select pg_current_wal_lsn()::text as lsn')
    await until(
      async () =>
        (await run(standby.url, `select pg_last_wal_replay_lsn() >= '${before!.lsn}' as done`))[0]!.done === true,
    )
    await run(standby.url, 'select pg_wal_replay_pause()')
    assert.equal((await logout(ended.token)).status, 204)
    assert.equal(await ready(), true)

    proxy.leadTo(standby.url)
    proxy.cut()
    proxy.restore()
    for (const { token } of [ended, alive]) {
      for (const reply of [await whoami(token), await logout(token)]) {
        assert.equal(reply.status, 503, reply.text)
        assert.ok(Number(reply.headers.get('retry-after')) > 0)
      }
    }
    assert.equal(await ready(), false)

    proxy.leadTo(primary.url)
    assert.equal((await whoami(ended.token)).status, 401)
    assert.equal((await whoami(alive.token)).status, 200)
    assert.equal((await logout(alive.token)).status, 204)
    assert.equal(await ready(), true)
  })

  test('a read behind a pooler, which may lead anywhere, fails on the standby even where it finds nothing', async () => {
    for (const text of [
      'select 1 as n',
      "select oid::int as n from pg_class where relname = 'none'",
      'select n from (values (2), (1)) v (n) order by n',
    ]) {
      const guarded = onPrimary(sql('test.read', text))
      assert.deepEqual(await run(primary.url, guarded), await run(primary.url, text))
      await assert.rejects(run(standby.url, guarded), cameFromStandby)
    }
    await assert.rejects(run(standby.url, CHECK_PRIMARY), cameFromStandby)
    await run(primary.url, CHECK_PRIMARY)
  })

  test('several hosts in one address: the one that writes is found, and the other one after a fail-over', async () => {
    await run(standby.url, 'select pg_wal_replay_resume()')
    const [first, second] = [standby, primary].map(({ url }) => new URL(url).host)
    const all = standby.url.replace(first!, `127.0.0.1:1,${first},${second}`)
    const cluster = await openAt(scope, `${all}&target_session_attrs=read-write`, LIMITS)
    const portOf = async () => String((await cluster.query<{ port: number }>(WHO))[0]!.port)
    assert.equal(await portOf(), new URL(primary.url).port)
    const [kept] = await Promise.all([portOf(), portOf(), portOf(), cluster.writable()])
    assert.equal(kept, new URL(primary.url).port)

    const [at] = await run(primary.url, 'select pg_current_wal_lsn()::text as lsn')
    await until(
      async () => (await run(standby.url, `select pg_last_wal_replay_lsn() >= '${at!.lsn}' as done`))[0]!.done === true,
    )
    await primary.crash()
    await run(standby.url, 'select pg_promote(wait => true)')
    await until(async () => (await portOf().catch(() => '')) === new URL(standby.url).port)
    await cluster.writable()

    // and the node whose address moves to the new primary signs people in with what it had
    proxy.leadTo(standby.url)
    await until(async () => ready())
    const client = new Client(server)
    await signIn(client, person)
    assert.equal((await client.get('/sessions/whoami')).status, 200)
  })
})
