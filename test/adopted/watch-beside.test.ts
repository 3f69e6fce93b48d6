import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import type { Identity } from '../../src/identities/types.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { runHere } from '../cli/in-process.ts'
import { createKratosDatabase, openAt, type Scope } from '../helpers/db.ts'
import { connectAsKratos, type KratosWrites, kratosWrites } from '../helpers/kratos-writes.ts'
import { LIVE, liveConfig } from '../helpers/live-kratos.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'

/** `FAULT_OPERATIONS=20000` for a proof. */
const OPERATIONS = Number(process.env.FAULT_OPERATIONS ?? 1200)

/** A database of Kratos with the watch on, a node beside, and a connection of Kratos. */
async function beside(t: Scope) {
  const url = await createKratosDatabase(t)
  const db = await openAt(t, url)
  await migrateUp(db)
  const { code, stderr } = await runHere(['adopt', 'watch', 'on', '--yes', url])
  assert.equal(code, 0, stderr)
  const server = await testServer(t, { db, base: { ...liveConfig(), dsn: 'memory' } })
  const connect = async (): Promise<KratosWrites> => {
    const client = await connectAsKratos(t, url)
    return kratosWrites(client, LIVE.network_id)
  }
  return { url, db, server, connect }
}

const STORY = sql(
  'test.story',
  `select coalesce(cause, type) as what, actor from lethe.events where session_id = $1 order by seq`,
)
const storyOf = async (db: Db, id: string) =>
  (await db.query<{ what: string; actor: unknown }>(STORY, [id])).map(({ what }) => what)

async function setState({ adminUrl }: TestServer, id: string, state: string): Promise<void> {
  const answer = await fetch(`${adminUrl}/admin/identities/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ op: 'replace', path: '/state', value: state }]),
  })
  assert.ok([200, 503].includes(answer.status), await answer.text())
}

test('what Lethe begins and ends itself is told by itself, once', async (t) => {
  const { db, server, connect } = await beside(t)
  const { deps, adminUrl } = server
  const kratos = await connect()
  const person = async () => {
    const identity = await kratos.newIdentity()
    return { identity, ...(await signedIn(server, { ...(await identityOf(server, identity)) })) }
  }
  type Person = Awaited<ReturnType<typeof person>>
  const doors: [cause: string, door: (p: Person) => Promise<unknown>][] = [
    ['logout', ({ session }) => deps.sessions.revoke(session, 'logout')],
    ['revoked_by_admin', ({ session }) => fetch(`${adminUrl}/admin/sessions/${session.id}`, { method: 'DELETE' })],
    [
      'revoked_by_admin',
      ({ identity }) => fetch(`${adminUrl}/admin/identities/${identity}/sessions`, { method: 'DELETE' }),
    ],
    ['identity_deleted', ({ identity }) => fetch(`${adminUrl}/admin/identities/${identity}`, { method: 'DELETE' })],
    ['identity_disabled', ({ identity }) => setState(server, identity, 'inactive')],
  ]
  for (const [cause, door] of doors) {
    const p = await person()
    await door(p)
    await door(p)
    assert.deepEqual(await storyOf(db, p.session.id), ['session.created', cause])
    const rows = await db.query<{ actor: unknown }>(STORY, [p.session.id])
    assert.ok(
      rows.every(({ actor }) => JSON.stringify(actor)?.includes('database') !== true),
      'the database was not the actor',
    )
  }
  const p = await person()
  await setState(server, p.identity, 'inactive')
  await setState(server, p.identity, 'active')
  await kratos.revoke(p.session.id)
  assert.deepEqual(await storyOf(db, p.session.id), [
    'session.created',
    'identity_disabled',
    'session.resumed',
    'ended_elsewhere',
  ])
})

async function identityOf({ adminUrl }: TestServer, id: string): Promise<Identity> {
  // Credentials are shown in another form than the one in which they are read.
  const { credentials: _, ...identity } = (await (
    await fetch(`${adminUrl}/admin/identities/${id}`)
  ).json()) as Identity & {
    credentials: unknown
  }
  return identity
}

const TRUTH = sql(
  'test.truth',
  `select known.id, count(*) filter (where e.type = 'session.created') as begun,
     count(*) filter (where e.type = 'session.ended' and not e.resumed) as ended,
     not coalesce(bool_or(s.active and s.expires_at > now() at time zone 'utc' and i.state = 'active' and x.session_id is null), false)
       as over
   from unnest($1::uuid[]) known (id) left join lethe.events e on e.session_id = known.id
     left join sessions s on s.id = known.id left join identities i on i.id = s.identity_id
     left join lethe.tombstones x on x.session_id = known.id
   group by known.id`,
)

/** What two programs at once may meet: a row that is gone, or each other. */
const EXPECTED = new Set(['23503', '40P01', '55P03'])

test(`after ${OPERATIONS} operations, half of them of Kratos, there are as many ends as ended sessions`, async (t) => {
  const { db, server, connect } = await beside(t)
  const { deps } = server
  const sessions: string[] = []
  const first = await connect()
  /** Kratos signs nobody in who is disabled; here that is so because these never are. */
  const [plain, switched] = [[] as string[], [] as string[]]
  for (let i = 0; i < 12; i += 1) plain.push(await first.newIdentity())
  for (let i = 0; i < 6; i += 1) switched.push(await first.newIdentity())
  const pick = <T>(list: readonly T[]): T => list[randomInt(list.length)]!
  for (const identity of [...switched, ...switched, ...plain]) sessions.push(await first.signIn(identity))
  const session = () => (randomInt(2) === 0 ? pick(sessions) : pick(sessions.slice(-40)))
  let met = 0

  const byKratos = (kratos: KratosWrites): (() => Promise<unknown>)[] => [
    ...Array.from({ length: 6 }, () => async () => sessions.push(await kratos.signIn(pick(plain)))),
    ...Array.from({ length: 4 }, () => () => kratos.revoke(session())),
    () => kratos.refresh(session()),
    () => kratos.extend(session()),
    () => kratos.revokeOthers(pick(plain), session()),
    () => kratos.deleteSessionsOf(pick(plain)),
    () => kratos.run('delete from sessions where id = $1', [session()]),
    () => kratos.setState(pick(switched), randomInt(2) === 0 ? 'active' : 'inactive'),
    () =>
      kratos.tx(async () => {
        await kratos.revoke(session())
        if (randomInt(2) === 0) throw Object.assign(new Error('changed its mind'), { code: '55P03' })
        await kratos.revoke(session())
      }),
    async () => {
      const identity = await kratos.newIdentity()
      sessions.push(await kratos.signIn(identity), await kratos.signIn(identity))
      await kratos.deleteIdentity(identity)
    },
  ]
  const byLethe: (() => Promise<unknown>)[] = [
    ...Array.from(
      { length: 5 },
      () => async () =>
        sessions.push((await signedIn(server, await identityOf(server, pick([...plain, ...switched])))).session.id),
    ),
    ...Array.from({ length: 4 }, () => () => deps.sessions.revoke({ id: session() }, 'logout')),
    () => fetch(`${server.adminUrl}/admin/sessions/${session()}`, { method: 'DELETE' }),
    () => fetch(`${server.adminUrl}/admin/identities/${pick(plain)}/sessions`, { method: 'DELETE' }),
    () => setState(server, pick(switched), randomInt(2) === 0 ? 'active' : 'inactive'),
  ]
  let left = OPERATIONS
  const worker = async (operations: (() => Promise<unknown>)[]) => {
    while (left-- > 0) {
      try {
        const answer = await pick(operations)()
        if (answer instanceof Response) await answer.arrayBuffer()
      } catch (error) {
        const { code, name, statusCode } = error as { code?: string; name?: string; statusCode?: number }
        met += 1
        if (
          !EXPECTED.has(code ?? '') &&
          !['NotLocked', 'HttpError', 'StoreUnavailable'].includes(name ?? '') &&
          statusCode === undefined
        )
          throw error
      }
    }
  }
  await Promise.all([
    worker(byKratos(await connect())),
    worker(byKratos(await connect())),
    worker(byLethe),
    worker(byLethe),
  ])

  type Row = { id: string; begun: number; ended: number; over: boolean }
  const rows = await db.query<Row>(TRUTH, [sessions])
  assert.equal(rows.length, sessions.length)
  const wrong = rows.filter(({ begun, ended, over }) => begun !== 1 || ended !== (over ? 1 : 0))
  assert.deepEqual(wrong.slice(0, 5), [])
  const over = rows.filter((row) => row.over).length
  assert.ok(over > 10 && over < rows.length, `${over} of ${rows.length} have ended`)
  t.diagnostic(`${OPERATIONS} operations, ${rows.length} sessions, ${over} ended, ${met} operations met another`)
})
