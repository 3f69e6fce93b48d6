import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { run } from '../cli/run.ts'
import { Client, createPerson, freshCsrfToken, isSignedIn, signIn, signInNative } from '../helpers/client.ts'
import { createDatabase, createRole, openAt, type Scope } from '../helpers/db.ts'
import { keepsNames, pgBouncerVersion, startPgBouncer } from '../helpers/pgbouncer.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { assertTruth, LOGOUTS, manySessions, serverProcess, signOutAll } from './storm.ts'

/** Far fewer than the two nodes open to it, so that each statement may come to another connection. */
const SMALL = ['default_pool_size = 3']
const WAYS = [
  { name: 'none', settings: keepsNames ? ['max_prepared_statements = 0'] : [], keeps: false },
  ...(keepsNames ? [{ name: 'some', settings: ['max_prepared_statements = 100'], keeps: true }] : []),
]
const LIMITS = sql(
  'test.limits',
  `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
          current_setting('idle_in_transaction_session_timeout') as idle, pg_backend_pid() as pid
   from pg_sleep(0.02)`,
)
const ENDS = sql('test.ends_pgbouncer', `select count(*) as n from lethe.events where type = 'session.ended'`)

interface Limits {
  statement: string
  lock: string
  idle: string
  pid: number
}

interface Node extends TestServer {
  warnings: string[]
}

async function node(t: Scope, url: string): Promise<Node> {
  const warnings: string[] = []
  const onError = (error: Error) => void warnings.push(error.message)
  const db = await openAt(t, url, { maxConnections: 8, statementTimeoutMs: 9000, lockTimeoutMs: 1500, onError })
  const server = await testServer(t, { db, config: { lethe: { gc: { interval: '100ms' } } } })
  for (const work of server.deps.background) work.start()
  t.after(async () => {
    for (const work of server.deps.background) await work.stop()
  })
  return Object.assign(server, { warnings })
}

const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)))

/** Everything at once, on both nodes: each answer must be the one it would be without a pooler. @returns ends */
async function everyWay(nodes: readonly [Node, Node]): Promise<number> {
  const ends = await times(6, async (index) => {
    const [here, there] = index % 2 ? nodes : [nodes[1], nodes[0]]
    const person = await createPerson(here)
    const browser = new Client(here)
    await signIn(browser, person)
    const [app, second, third] = await times(3, () => signInNative(there, person))
    const header = { 'x-session-token': app!.token }
    const seen = await times(20, (i) => (i % 2 ? isSignedIn(browser) : isSignedIn(new Client(there), header)))
    assert.ok(!seen.includes(false))
    const begun = await browser.get('/self-service/logout/browser')
    assert.equal(begun.status, 200)
    const left = await browser.get(`/self-service/logout?token=${begun.body.logout_token}`)
    assert.equal(left.status, 204, left.text)
    assert.equal(await isSignedIn(browser), false)
    const json = { session_token: app!.token }
    assert.equal((await new Client(here).send('DELETE', '/self-service/logout/api', { json })).status, 204)
    assert.equal(await isSignedIn(new Client(there), header), false)
    const others = await new Client(there).send('DELETE', '/sessions', {
      headers: { 'x-session-token': second!.token },
    })
    assert.deepEqual(others.body, { count: 1 })
    assert.equal(await isSignedIn(new Client(here), { 'x-session-token': third!.token }), false)
    await signIn(browser, person)
    const refresh = await browser.get('/self-service/login/browser?refresh=true')
    const again = await browser.send(
      'POST',
      new URL(refresh.body.ui.action).pathname + new URL(refresh.body.ui.action).search,
      {
        json: {
          method: 'password',
          identifier: person.email,
          password: person.password,
          csrf_token: await freshCsrfToken(browser),
        },
      },
    )
    assert.equal(again.status, 200, again.text)
    const all = await browser.send('DELETE', `${here.adminUrl}/admin/identities/${person.identityId}/sessions`)
    assert.equal(all.status, 204)
    assert.equal(await isSignedIn(browser), false)
    return 5
  })
  return ends.reduce((sum, count) => sum + count, 0)
}

describe(`behind PgBouncer ${pgBouncerVersion}, with a connection for each transaction`, () => {
  if (pgBouncerVersion === undefined) {
    test('PgBouncer', (t) => {
      console.error('SKIPPED: PgBouncer is not installed (Debian: apt-get install pgbouncer)')
      t.skip('PgBouncer is not installed')
    })
    return
  }

  for (const { name, settings, keeps } of WAYS) {
    test(`that keeps ${name} of the prepared statements: migrations, logins and every way out`, async (t) => {
      const direct = await createDatabase(t, { migrated: false })
      const { url } = await startPgBouncer(t, direct, [...SMALL, ...settings])
      const migrated = await times(2, () => run(['migrate', 'sql', 'up', '-e', '--yes'], { env: { DSN: url } }))
      for (const { code, stderr } of migrated) assert.equal(code, 0, stderr)
      const nodes = [await node(t, url), await node(t, url)] as const
      const ends = await everyWay(nodes)
      for (const { warnings } of nodes) {
        if (keeps) assert.deepEqual(warnings, [])
        else
          assert.deepEqual(
            warnings.map((text) => /keeps no prepared statements/.test(text)),
            [true],
          )
      }
      const [row] = await nodes[0].db.query<{ n: number }>(ENDS)
      assert.equal(row!.n, ends)
      const list = await new Client(nodes[1]).get(`${nodes[1].adminUrl}/admin/sessions/revocations`)
      assert.equal(list.body.sessions.length, ends)
      const logs = nodes.map((each) => each.logs()).join('')
      assert.ok(!/"level":"(error|warning)"/.test(logs), logs)
    })
  }
  test('that drops time limits silently: transactions have them, the next to borrow a connection does not', async (t) => {
    const ignored = 'statement_timeout,lock_timeout,idle_in_transaction_session_timeout'
    const direct = await createDatabase(t, { migrated: true })
    const { url } = await startPgBouncer(t, direct, [...SMALL, `ignore_startup_parameters = ${ignored}`])
    const { db } = await node(t, url)
    const [inside] = await db.tx((tx) => tx.query<Limits>(LIMITS))
    assert.deepEqual({ ...inside, pid: 0 }, { statement: '9s', lock: '1500ms', idle: '18s', pid: 0 })
    await db.script('create table long (n int)')
    await db.script('create index concurrently on long (n)', { alone: true })
    await assert.rejects(db.script('begin; drop table long; select 1/0; commit'))
    const outside = await times(6, async () => (await db.query<Limits>(LIMITS))[0]!)
    for (const each of outside) assert.deepEqual({ ...each, pid: 0 }, { statement: '0', lock: '0', idle: '0', pid: 0 })
    assert.ok(new Set(outside.map(({ pid }) => pid)).size > 1, 'only one connection was borrowed')
  })

  test('the limits that docs/operations.md sets for the role hold for a single statement', async (t) => {
    const role = await createRole(t)
    const direct = await createDatabase(t, { migrated: true })
    const text = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8')
    const [, commands] = /```sql\n(alter role lethe [\s\S]*?)```/.exec(text)!
    await (await openAt(t, direct)).script(commands!.replaceAll('role lethe', `role ${role.name}`))
    const { url } = await startPgBouncer(t, role.at(direct), SMALL)
    const db = await openAt(t, url)
    const [row] = await db.query<Limits>(LIMITS)
    assert.deepEqual({ ...row, pid: 0 }, { statement: '10s', lock: '2s', idle: '20s', pid: 0 })
  })

  test('two releases with different statements of one name: each gets its own answer', async (t) => {
    const { url } = await startPgBouncer(t, await createDatabase(t, { migrated: true }), SMALL)
    const releases = await times(2, () => openAt(t, url, { maxConnections: 1 }))
    const ask = async (release: number) => {
      const text = `select ${release} as n from pg_sleep(0.02) where $1::int = 1`
      return (await releases[release]!.query<{ n: number }>(sql('test.same', text), [1]))[0]!.n
    }
    // by turns the first and the second to borrow, so that each gets the connection that the other one has prepared
    for (let round = 0; round < 6; round += 1) {
      const [first, second] = round % 2 ? [0, 1] : [1, 0]
      assert.deepEqual(await Promise.all([ask(first!), ask(second!)]), [first, second])
    }
  })

  test(`that is killed amid ${LOGOUTS} logouts: refused until it is back, and nothing that was acknowledged is lost`, async (t) => {
    const direct = await createDatabase(t, { migrated: true })
    const pooler = await startPgBouncer(t, direct, SMALL)
    const child = await serverProcess(t, pooler.url)
    await child.ready()
    const beside = await testServer(t, { db: await openAt(t, direct) })
    const sessions = await manySessions(beside)
    let back: Promise<void> | undefined
    const outcome = await signOutAll(
      () => child.url,
      sessions.leaving,
      (count) => {
        if (count === Math.floor(LOGOUTS / 3)) back = pooler.kill().then(pooler.start)
      },
    )
    await back
    assert.ok(outcome.acknowledged.size > 0 && outcome.unknown.size > 0, 'it was not killed in the middle')
    assert.deepEqual([...new Set(outcome.unknown.values())], ['503'])
    await child.ready()
    await assertTruth(child.url, sessions, outcome, beside)
  })
})
