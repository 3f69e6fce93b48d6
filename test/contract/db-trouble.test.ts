import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import pg from 'pg'
import { type Db, OutcomeUnknown, StoreError, StoreUnavailable, sql } from '../../src/kernel/db/client.ts'
import { ReadOnlyServer } from '../../src/kernel/db/errors.ts'
import type { Outage } from '../../src/kernel/db/postgres/outage.ts'
import { createDatabase, openAt, pglite } from '../helpers/db.ts'
import { proxyTo } from '../helpers/tcp-proxy.ts'
import { until } from '../helpers/until.ts'

const ONE = sql('test.one', 'select 1 as n')
const SLEEP = sql('test.sleep', 'select pg_sleep(30)')
const SHOW = sql(
  'test.show',
  `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
          current_setting('application_name') as application, current_setting('search_path') as path`,
)
const LOCK = sql('test.lock_db_trouble', `select id from identity_credential_types where name = 'password' for update`)
const WRITE = sql(
  'test.write_db_trouble',
  'insert into networks (id, created_at, updated_at) values (gen_random_uuid(), now(), now())',
)
/** Only where a statement is to take too long: elsewhere a slow machine would be the one that it ends. */
const SHORT = { statementTimeoutMs: 2000 }

async function works(db: Db): Promise<boolean> {
  return db.query(ONE).then(
    () => true,
    () => false,
  )
}

describe('contract=db client, a database in trouble', () => {
  test('a statement that takes too long is ended by the server and counts as unavailable', async (t) => {
    const db = await openAt(t, await createDatabase(t, { migrated: true }), SHORT)
    await assert.rejects(db.query(SLEEP), (e: unknown) => e instanceof StoreUnavailable && /57014/.test(e.message))
    const slowTx = db.tx((tx) => tx.query(SLEEP))
    await assert.rejects(slowTx, StoreUnavailable)
    await until(() => works(db))
  })

  test('a locked row does not hold a connection for long', async (t) => {
    const db = await openAt(t, await createDatabase(t, { migrated: true }), { lockTimeoutMs: 100, maxConnections: 3 })
    await db.tx(async (tx) => {
      await tx.query(LOCK)
      const answers = await Promise.allSettled([db.query(LOCK), db.query(LOCK), db.query(ONE), db.query(ONE)])
      const outcomes = answers.map((a) => a.status === 'fulfilled' || (a.reason as Error).constructor.name)
      assert.deepEqual(outcomes, ['StoreUnavailable', 'StoreUnavailable', true, true])
    })
  })

  test('with all connections taken, the next one waits its time and no longer', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const db = await openAt(t, url, { acquireTimeoutMs: 400, maxConnections: 1 })
    await db.tx(async () => {
      await assert.rejects(db.query(ONE), StoreUnavailable)
    })
    assert.ok(await works(db))
  })

  test('connections killed under load: unavailable, then well again, and the process stays', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const errors: Error[] = []
    const db = await openAt(t, url, { maxConnections: 8, onError: (error) => errors.push(error) })
    const killer = new pg.Client({ connectionString: url })
    await killer.connect()
    let running = true
    const refused: unknown[] = []
    const inTx = async () => {
      await db.tx(async (tx) => {
        await tx.query(ONE)
        await tx.query(sql('test.nap', 'select pg_sleep(0.02)'))
      })
    }
    const load = Array.from({ length: 16 }, async (_, index) => {
      while (running) await (index % 2 ? db.query(ONE) : inTx()).catch((error: unknown) => refused.push(error))
    })
    const kill = `select count(pg_terminate_backend(pid)) from pg_stat_activity
                  where datname = current_database() and pid <> pg_backend_pid()`
    for (let round = 0; round < 5; round += 1) {
      await killer.query(kill)
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    running = false
    await Promise.all(load)
    await killer.end()
    assert.ok(refused.length > 0)
    assert.deepEqual(
      refused.filter((error) => !(error instanceof StoreUnavailable)),
      [],
    )
    await until(() => works(db))
  })

  test('idle connections killed: reported, not thrown', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const errors: Error[] = []
    const db = await openAt(t, url, { onError: (error) => errors.push(error) })
    await db.query(ONE)
    const killer = new pg.Client({ connectionString: url })
    await killer.connect()
    await killer.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    await killer.end()
    await until(() => errors.length > 0)
    assert.ok(errors[0] instanceof StoreUnavailable)
    assert.ok(await works(db))
  })

  test('a silent network: unavailable in time, its connections closed, well again afterwards', async (t) => {
    const proxy = await proxyTo(t, await createDatabase(t, { migrated: true }))
    const db = await openAt(t, proxy.url, { ...SHORT, acquireTimeoutMs: 10_000, maxConnections: 4 })
    await Promise.all(Array.from({ length: 4 }, () => db.query(ONE)))
    proxy.silence()
    const started = performance.now()
    await assert.rejects(db.query(ONE), OutcomeUnknown)
    const inTx = db.tx((tx) => tx.query(ONE))
    await assert.rejects(inTx, StoreUnavailable)
    assert.ok(performance.now() - started < 30_000)
    proxy.restore()
    assert.ok(await works(db), 'the other silent connections are not handed out again')
    await until(() => proxy.open() <= 4)
  })

  test('an outage is told once when it begins, and once when it is over, with what failed meanwhile', async (t) => {
    const proxy = await proxyTo(t, await createDatabase(t, { migrated: true }))
    const told: (Error | Outage)[] = []
    const onOutage = { onAway: (error: Error) => told.push(error), onBack: (outage: Outage) => told.push(outage) }
    const db = await openAt(t, proxy.url, { ...SHORT, onOutage })
    await db.query(ONE)
    // trouble of one statement is no outage
    await assert.rejects(db.query(SLEEP), StoreUnavailable)
    await assert.rejects(db.query(sql('test.zero', 'select 1/0')), StoreError)
    proxy.cut()
    for (let i = 0; i < 3; i++) await assert.rejects(db.query(ONE), StoreUnavailable)
    await assert.rejects(
      db.tx((tx) => tx.query(ONE)),
      StoreUnavailable,
    )
    assert.deepEqual(told.length, 1)
    proxy.restore()
    await until(async () => {
      await db.query(ONE)
      return told.length === 2
    }, 'the end of the outage')
    const [away, back] = told
    assert.ok(away instanceof StoreUnavailable)
    assert.ok(!(back instanceof Error) && back!.ms > 0)
    assert.deepEqual((back as Outage).failed, { 'test.one': 3, transaction: 1 })
    await db.query(ONE)
    assert.equal(told.length, 2)
  })

  test('nothing listens: unavailable at once; the password is not told', async (t) => {
    const url = new URL(await createDatabase(t, { migrated: false }))
    url.port = '1'
    url.password = 'pass-not-for-the-log'
    const db = await openAt(t, url.href)
    await assert.rejects(db.query(ONE), (error: unknown) => {
      assert.ok(error instanceof StoreUnavailable)
      assert.match(error.message, /ECONNREFUSED/)
      assert.ok(!JSON.stringify(error, Object.getOwnPropertyNames(error)).includes('pass-not-for'))
      return true
    })
  })

  test('a wrong password and a missing database are unavailable and say so', async (t) => {
    const url = new URL(await createDatabase(t, { migrated: false }))
    const wrong = new URL(url)
    wrong.password = 'pass-not-for-the-log'
    const db = await openAt(t, wrong.href)
    await assert.rejects(db.query(ONE), (error: unknown) => {
      assert.ok(error instanceof StoreUnavailable)
      return /28P01/.test(error.message) && !error.message.includes('pass-not-for')
    })
    url.pathname = '/lethe_is_not_there'
    const missing = await openAt(t, url.href)
    await assert.rejects(missing.query(ONE), (e: unknown) => e instanceof StoreUnavailable && /3D000/.test(e.message))
  })

  test('a read-only server is unavailable, for reads too', async (t) => {
    const url = `${await createDatabase(t, { migrated: true })}&default_transaction_read_only=on`
    const db = await openAt(t, url)
    const takesNoWrites = (e: Error) => e instanceof ReadOnlyServer && /default_transaction_read_only/.test(e.message)
    await assert.rejects(db.query(SHOW), takesNoWrites)
    await assert.rejects(db.writable(), takesNoWrites)
  })

  test('a server that is set to be read only while connections are open loses them', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const db = await openAt(t, url)
    await Promise.all(Array.from({ length: 8 }, () => db.query(SHOW)))
    const admin = await openAt(t, url)
    const name = new URL(url).pathname.slice(1)
    await admin.script(`alter database ${name} set default_transaction_read_only = on`)
    // for a connection that is open: as `alter system` would
    await db.query(sql('test.set', `select set_config('default_transaction_read_only', 'on', false)`))
    await assert.rejects(db.query(WRITE), ReadOnlyServer)
    await assert.rejects(db.query(SHOW), ReadOnlyServer)
    await admin.script(`alter database ${name} reset default_transaction_read_only`)
    await db.query(WRITE)
  })

  test('limits and settings of the address reach the server; its word is the last', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const own = { statementTimeoutMs: 9000, lockTimeoutMs: 4000 }
    const plain = await openAt(t, url, { ...own, applicationName: 'lethe' })
    const [row] = await plain.query(SHOW)
    assert.deepEqual(row, { statement: '9s', lock: '4s', application: 'lethe', path: '"$user", public' })
    const db = await openAt(t, `${url}&statement_timeout=7s&search_path=other,public&application_name=mine`, own)
    const [changed] = await db.query(SHOW)
    assert.deepEqual(changed, { statement: '7s', lock: '4s', application: 'mine', path: 'other,public' })
  })

  test('the time zone and date style of the role change nothing', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const name = new URL(url).pathname.slice(1)
    const admin = await openAt(t, url)
    await admin.script(`alter database ${name} set timezone = 'America/New_York'`)
    await admin.script(`alter database ${name} set datestyle = 'German, DMY'`)
    const db = await openAt(t, url)
    const [row] = await db.query(
      sql('test.zone', `select $1::timestamp as t, (now() at time zone 'utc') = localtimestamp as utc`),
      ['2026-02-03T04:05:06.7Z'],
    )
    assert.deepEqual(row, { t: '2026-02-03T04:05:06.7Z', utc: true })
  })

  test('behind a pooler that refuses limits in the first message, transactions set them', async (t) => {
    const proxy = await proxyTo(t, await createDatabase(t, { migrated: true }), { refuses: 'statement_timeout' })
    const db = await openAt(t, proxy.url, { ...SHORT, lockTimeoutMs: 1000 })
    assert.ok(await works(db))
    const [row] = await db.tx((tx) => tx.query(SHOW))
    assert.deepEqual([row!.statement, row!.lock], ['2s', '1s'])
    await assert.rejects(db.query(SLEEP), StoreUnavailable)
  })

  test('a pooler that loses prepared statements costs nothing but the names', async (t) => {
    const db = await openAt(t, await createDatabase(t, { migrated: true }), { maxConnections: 1 })
    await db.query(ONE)
    await db.query(sql('test.deallocate', 'deallocate all'))
    assert.deepEqual(await db.query(ONE), [{ n: 1 }])
    const [row] = await db.query(sql('test.prepared', 'select count(*) as n from pg_prepared_statements'))
    assert.deepEqual(row, { n: 0 })
  })

  test('a column that changes its type under a prepared statement costs nothing', async (t) => {
    const db = await openAt(t, await createDatabase(t, { migrated: true }), { maxConnections: 1 })
    const read = sql('test.read_db_trouble', `select name from identity_credential_types where name = 'password'`)
    await db.query(read)
    await db.script('alter table identity_credential_types alter column name type text')
    assert.deepEqual(await db.query(read), [{ name: 'password' }])
  })

  test('sslmode=prefer goes on without TLS where there is none, require does not', async (t) => {
    const url = (await createDatabase(t, { migrated: false })).replace('sslmode=disable', '')
    assert.ok(await works(await openAt(t, `${url}sslmode=prefer`)))
    assert.ok(await works(await openAt(t, url)))
    const strict = await openAt(t, `${url}sslmode=require`)
    await assert.rejects(strict.query(ONE), (e: unknown) => e instanceof StoreUnavailable && /SSL/.test(e.message))
  })

  test('more idle connections than max_idle_conns are closed', async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const db = await openAt(t, `${url}&max_conns=6&max_idle_conns=1`)
    await Promise.all(Array.from({ length: 6 }, () => db.query(sql('test.nap_db_trouble', 'select pg_sleep(0.1)'))))
    const count = sql('test.mine', `select count(*) as n from pg_stat_activity where datname = current_database()`)
    await until(async () => (await db.query<{ n: number }>(count))[0]!.n === 1)
  })

  test('one connection in the process: who waits too long is turned away, then it goes on', async (t) => {
    const db = await pglite.open(t, { acquireTimeoutMs: 100 })
    await db.tx(async () => {
      await assert.rejects(db.query(ONE), StoreUnavailable)
    })
    assert.ok(await works(db))
  })
})
