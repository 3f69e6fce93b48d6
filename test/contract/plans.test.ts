import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { idOf, seed } from '../../bench/seed.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { Client, createPerson, signIn, signInNative } from '../helpers/client.ts'
import { adopted, closingScope, postgres } from '../helpers/db.ts'
import { keptFor, recording, type Sent, scansOf } from '../helpers/plans.ts'
import { testServerUrl } from '../helpers/postgres.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'

const SESSIONS = 20_000
/** One page of the table holds fewer rows than lie between two of these, so that each has its own. */
const APART = 100
/** What grows with the number of people, so that no hot statement may read all of it. */
const BIG = new Set([
  ...['sessions', 'session_devices', 'identities', 'identity_credentials', 'identity_credential_identifiers'],
  ...['identity_verifiable_addresses', 'identity_recovery_addresses', 'selfservice_login_flows'],
  ...['lethe.events', 'lethe.tombstones', 'lethe.last_seen', 'lethe.upstream_sessions'],
])

/** What `docs/operations.md` says: of each statement the indexes that it may use. */
const documented = readTable(readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8'))

for (const backend of [postgres, adopted]) {
  describe(`contract=plans, backend=${backend.name}`, () => {
    const scope = closingScope()
    let client: pg.Client
    let sent: Map<string, Sent>

    before(async () => {
      const db = await backend.open(scope)
      const recorded = recording(db)
      sent = recorded.sent
      const server = await testServer(scope, { db: recorded.db })
      const { nid, tokens } = server.deps.meta
      const url = await urlOf(db)
      await seed(url, nid, SESSIONS, { tokens: tokens === 'plain' ? 'plain' : 'sha256' })
      client = new pg.Client({ connectionString: url })
      await client.connect()
      scope.after(() => client.end())
      await traffic(server, client, (name) => sent.has(name))
      for (const statement of GROWN) await client.query(statement.replaceAll('$nid', `'${nid}'`))
    })
    after(() => scope.close())

    for (const generic of [true, false]) {
      const kept = generic ? 'the plan that is kept for any values' : 'the plan that the server prefers'
      test(`${kept} finds every row of a large table by the indexes of docs/operations.md`, async () => {
        const seen = new Set<string>()
        for (const [name, one] of sent) {
          const large = (await scansOf(client, one, generic)).filter(({ table }) => BIG.has(table))
          if (large.length === 0) continue
          seen.add(name)
          const indexes = new Map<string, string>()
          for (const { table, index, condition } of large) {
            assert.ok(index, `${name} reads all of ${table}`)
            const beside = condition.replace(/\(?\(*[a-z_]*\.?nid = [^)]*\)/g, '')
            assert.match(beside, /[a-z]/, `${name} reads all of ${table} by ${index}: ${condition}`)
            assert.ok(documented.get(name)?.has(index), `docs/operations.md lacks ${index} for ${name}`)
            indexes.set(index, table)
          }
          const tables = await tablesOf(client, documented.get(name)!)
          // A plan for given values reads nothing for rules that are not configured.
          if (generic)
            assert.deepEqual(tables, new Set(indexes.values()), `docs/operations.md names too many indexes for ${name}`)
        }
        // a session is begun by one of two statements, as the tables are our own or shared
        const unused = backend === postgres ? 'session.insert_shared' : 'session.insert'
        assert.deepEqual(
          [...documented.keys()].filter((name) => !seen.has(name) && name !== unused),
          [],
        )
      })
    }

    if (backend !== postgres) return

    test('an end is planned once, however many sessions end together', async () => {
      await client.query('set plan_cache_mode = auto')
      for (const ended of ['session.revoke_many', 'session.revoke_many_by_token']) {
        const { statement, values } = sent.get(ended)!
        for (const length of [1, 64]) {
          const keys = Array.from({ length }, () => randomUUID())
          const given = values.map((value) => (Array.isArray(value) ? keys : value))
          const name = `${ended}_${length}`
          assert.ok(
            await keptFor(client, { statement: { ...statement, name }, values: given }),
            `${name}: planned anew`,
          )
        }
      }
    })

    test('an end rewrites its row in place: no index has the column, and pages have room', async () => {
      const naming = `select indexrelid::regclass::text as name from pg_index
        where indrelid = 'sessions'::regclass and pg_get_indexdef(indexrelid) ~ '\\mactive\\M'`
      assert.deepEqual((await client.query(naming)).rows, [])
      const { statement, values } = sent.get('session.revoke_many')!
      const ids = Array.from({ length: 64 }, (_, index) => idOf(1 + index * APART))
      await client.query('begin')
      const given = [ids, ids.map(() => 'logout'), ...values.slice(2)]
      const { rows } = await client.query(statement.text, given)
      const counts = `select n_tup_upd::int as changed, n_tup_hot_upd::int as in_place from pg_stat_xact_user_tables
        where relid = 'sessions'::regclass`
      assert.deepEqual((await client.query(counts)).rows, [{ changed: rows.length, in_place: 64 }])
      await client.query('rollback')
    })
  })
}

function readTable(text: string): Map<string, Set<string>> {
  const names = (cell: string) => [...cell.matchAll(/`([\w.]+)`/g)].map(([, name]) => name!)
  const person = names(/^\*person\* is (.*)$/m.exec(text)![1]!)
  const table = /^\| statement \|.*\n\|.*\n((?:\|.*\n)*)/m.exec(text)![1]!
  return new Map(
    table
      .trimEnd()
      .split('\n')
      .flatMap((line) => {
        const [, statements, , indexes] = line.split('|') as [string, string, string, string]
        const all = new Set([...names(indexes), ...(indexes.includes('*person*') ? person : [])])
        return names(statements).map((name): [string, Set<string>] => [name, all])
      }),
  )
}

async function tablesOf(client: pg.Client, indexes: ReadonlySet<string>): Promise<Set<string>> {
  const text = `select distinct case schemaname when 'public' then '' else schemaname || '.' end || tablename as name
    from pg_indexes where indexname = any ($1)`
  return new Set((await client.query<{ name: string }>(text, [[...indexes]])).rows.map(({ name }) => name))
}

/** Rows beside those of the benchmark, so that no table is so small that it is read whole for that. */
const GROWN = [
  `insert into lethe.events (id, type, cause, session_id, identity_id, nid, created_at)
   select gen_random_uuid(), 'session.ended', 'logout', gen_random_uuid(), gen_random_uuid(), $nid, now() from generate_series(1, ${SESSIONS})`,
  `insert into lethe.tombstones (session_id, ended_at) select gen_random_uuid(), now() from generate_series(1, ${SESSIONS})`,
  `insert into lethe.last_seen (session_id, seen_at) select gen_random_uuid(), now() from generate_series(1, ${SESSIONS})`,
  `insert into lethe.upstream_sessions (session_id, provider, subject, issuer, id_token, signed_in_at)
   select gen_random_uuid(), 'one', i::text, '', '', now() from generate_series(1, ${SESSIONS}) i`,
  `insert into selfservice_login_flows select made.*
   from (select * from selfservice_login_flows limit 1) flow, generate_series(1, ${SESSIONS}) i,
     jsonb_populate_record(null::selfservice_login_flows, to_jsonb(flow) || jsonb_build_object('id', gen_random_uuid(), 'of', i)) made`,
  'vacuum analyze',
]

async function urlOf(db: Db): Promise<string> {
  const [row] = await db.query<{ name: string }>(sql('test.database', 'select current_database() as name'))
  const url = new URL(await testServerUrl())
  url.pathname = row!.name
  return url.href
}

const ALONE = ['session.revoke_one']

/** Every way that many people take at once. */
async function traffic(server: TestServer, beside: pg.Client, wasSent: (name: string) => boolean): Promise<void> {
  const person = await createPerson(server)
  const browser = new Client(server)
  const { sessionId } = await signIn(browser, person)
  const apps: { sessionId: string; token: string }[] = []
  for (let made = 0; made < 12; made += 1) apps.push(await signInNative(server, person))
  const at = (index: number) => ({ 'x-session-token': apps[index]!.token })
  const ask = (path: string, headers: Record<string, string>) => new Client(server).get(path, headers)
  await Promise.all(apps.map((_, index) => ask('/sessions/whoami', at(index))))
  await browser.get('/sessions')
  for (const work of server.deps.background) await work.stop()
  await browser.get(`${server.adminUrl}/admin/sessions/${sessionId}`)
  await browser.send('PATCH', `${server.adminUrl}/admin/sessions/${sessionId}/extend`)
  const native = (index: number) =>
    new Client(server).send('DELETE', '/self-service/logout/api', { json: { session_token: apps[index]!.token } })
  await Promise.all([0, 1, 2, 3, 4, 5].map(native))
  const begun = await browser.get('/self-service/logout/browser')
  await browser.get(`/self-service/logout?token=${begun.body.logout_token}`)
  // who holds a row makes its logout go alone
  await beside.query('begin')
  await beside.query(`select from sessions where id in ('${apps[6]!.sessionId}', '${apps[7]!.sessionId}') for update`)
  const waiting = [
    native(6),
    ask('/self-service/logout/browser', at(7)).then(({ body }) =>
      ask(`/self-service/logout?token=${body.logout_token}`, at(7)),
    ),
  ]
  await until(() => ALONE.every(wasSent), 'somebody who waits for the rows')
  await beside.query('commit')
  await Promise.all(waiting)
  await new Client(server).send('DELETE', '/sessions', { headers: at(8) })
  await server.deps.endedSessions.endOf({ cookieTokens: [apps[0]!.token] })
  await browser.send('DELETE', `${server.adminUrl}/admin/identities/${person.identityId}/sessions`)
  await browser.get(`${server.adminUrl}/admin/identities/${person.identityId}/sessions`)
  await server.deps.endedSessions.lastOf(person.identityId)
}
