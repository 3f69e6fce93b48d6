import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type pg from 'pg'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { runHere } from '../cli/in-process.ts'
import { closingScope, createKratosDatabase, createRole, openAt } from '../helpers/db.ts'
import { connectAsKratos, type KratosWrites, kratosWrites } from '../helpers/kratos-writes.ts'
import { LIVE, liveServerOn } from '../helpers/live-kratos.ts'
import { EventStreamClient } from '../helpers/sse.ts'

const EVENTS = sql(
  'test.events_of',
  `select type, cause, actor, identity_id, nid from lethe.events where session_id = $1 order by seq`,
)
const COUNT = sql('test.count', 'select count(*) from lethe.events')

interface Told {
  type: string
  cause: string | null
  actor: { type: string; role?: string; application?: string } | null
  identity_id: string
  nid: string
}

describe('adopt watch: what Kratos does to sessions is told', () => {
  const scope = closingScope()
  let url: string
  let db: Db
  let role: string
  let client: pg.Client
  let kratos: KratosWrites
  const nid = LIVE.network_id

  before(async () => {
    // a role that has what Kratos has, and nothing in the schema lethe
    const created = await createRole(scope)
    role = created.name
    url = await createKratosDatabase(scope)
    db = await openAt(scope, url)
    await migrateUp(db)
    await db.script(`grant select, insert, update, delete, truncate on all tables in schema public to ${role}`)
    const { code, stdout, stderr } = await runHere(['adopt', 'watch', 'on', '--yes', url])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /lethe_watch_session_update.*public\.sessions/)
    client = await connectAsKratos(scope, created.at(url))
    kratos = kratosWrites(client, nid)
  })
  after(() => scope.close())

  const toldOf = (id: string) => db.query<Told>(EVENTS, [id])
  const endsOf = async (id: string) =>
    (await toldOf(id)).filter(({ type }) => type === 'session.ended').map(({ cause }) => cause)

  test('a sign-in, once, with who did it', async () => {
    const identity = await kratos.newIdentity()
    const id = await kratos.signIn(identity)
    assert.deepEqual(await toldOf(id), [
      {
        type: 'session.created',
        cause: null,
        actor: { type: 'database', role, application: 'kratos' },
        identity_id: identity,
        nid,
      },
    ])
  })

  type Door = (given: { identity: string; id: string; other: string }) => Promise<unknown>
  const DOORS: [name: string, cause: string, door: Door][] = [
    ['logout, or a session that is revoked', 'ended_elsewhere', ({ id }) => kratos.revoke(id)],
    ['all others of an identity', 'ended_elsewhere', ({ identity, other }) => kratos.revokeOthers(identity, other)],
    ['all sessions of an identity deleted', 'ended_elsewhere', ({ identity }) => kratos.deleteSessionsOf(identity)],
    ['its identity deleted', 'identity_deleted', ({ identity }) => kratos.deleteIdentity(identity)],
    ['its identity disabled', 'identity_disabled', ({ identity }) => kratos.setState(identity, 'inactive')],
    [
      'its time set to one that is past',
      'ended_elsewhere',
      ({ id }) =>
        kratos.run(`update sessions set expires_at = now() at time zone 'utc' - interval '1 s' where id = $1`, [id]),
    ],
    [
      'its row set to unknown',
      'ended_elsewhere',
      ({ id }) => kratos.run('update sessions set active = null where id = $1', [id]),
    ],
    ['its row deleted', 'ended_elsewhere', ({ id }) => kratos.run('delete from sessions where id = $1', [id])],
  ]
  for (const [name, cause, door] of DOORS) {
    test(`${name}: one end, in the same commit, and none where that is rolled back`, async () => {
      const identity = await kratos.newIdentity()
      const given = { identity, id: await kratos.signIn(identity), other: await kratos.signIn(identity) }
      await kratos.run('begin')
      await door(given)
      // what is told at the commit itself
      await kratos.run('set constraints all immediate')
      assert.deepEqual(await endsOf(given.id), [], 'told before it is true')
      await kratos.run('rollback')
      assert.deepEqual(await endsOf(given.id), [], 'told though it is not true')
      await door(given)
      assert.deepEqual(await endsOf(given.id), [cause])
      // a second time, and whatever comes after
      await door(given)
      await kratos.revoke(given.id)
      await kratos.deleteSessionsOf(identity)
      await kratos.deleteIdentity(identity)
      assert.deepEqual(await endsOf(given.id), [cause])
    })
  }

  test('a session whose time was over when it was deleted or signed out has expired', async () => {
    const identity = await kratos.newIdentity()
    const [cleaned, signedOut] = [await kratos.signIn(identity, '-1 s'), await kratos.signIn(identity, '-1 s')]
    await kratos.revoke(signedOut)
    await kratos.cleanUp()
    assert.deepEqual([await endsOf(cleaned), await endsOf(signedOut)], [['expired'], ['expired']])
  })

  test('the table emptied: each session that was alive has ended', async () => {
    const identity = await kratos.newIdentity()
    const id = await kratos.signIn(identity)
    await kratos.run('begin')
    await client.query('truncate sessions cascade')
    await kratos.run('rollback')
    assert.deepEqual(await endsOf(id), [])
    const other = await db.query<{ id: string }>(sql('test.live', 'select id from sessions where active'))
    await client.query('truncate sessions cascade')
    for (const session of [{ id }, ...other]) assert.equal((await endsOf(session.id)).length, 1)
  })

  test('an identity that is enabled again takes the ends back, but of those that ended meanwhile', async () => {
    const identity = await kratos.newIdentity()
    const [asleep, over] = [await kratos.signIn(identity), await kratos.signIn(identity)]
    await kratos.setState(identity, 'inactive')
    await kratos.revoke(over)
    await kratos.setState(identity, 'active')
    const types = async (id: string) => (await toldOf(id)).map(({ type, cause }) => cause ?? type)
    assert.deepEqual(await types(asleep), ['session.created', 'identity_disabled', 'session.resumed'])
    assert.deepEqual(await types(over), ['session.created', 'identity_disabled'])
    await kratos.revoke(asleep)
    assert.deepEqual(await endsOf(asleep), ['identity_disabled', 'ended_elsewhere'])
  })

  test('what is not an end writes nothing', async () => {
    const identity = await kratos.newIdentity()
    const id = await kratos.signIn(identity)
    const before = await db.query(COUNT)
    await kratos.extend(id)
    await kratos.refresh(id)
    await kratos.setState(identity, 'active')
    await kratos.run('update identities set traits = traits where id = $1', [identity])
    assert.deepEqual(await db.query(COUNT), before)
  })

  test('what has ended stays ended, though Kratos writes the row again', async (t) => {
    const server = await liveServerOn(t, db)
    const identity = await kratos.newIdentity()
    const [refreshed, deleted] = [await kratos.signIn(identity), await kratos.signIn(identity)]
    await kratos.revoke(refreshed)
    await kratos.refresh(refreshed)
    await kratos.run('delete from sessions where id = $1', [deleted])
    await kratos.insertAgain(deleted, identity)
    for (const id of [refreshed, deleted]) {
      assert.deepEqual(await endsOf(id), ['ended_elsewhere'])
      const [row] = await kratos.run('select token from sessions where id = $1', [id])
      const answer = await fetch(`${server.publicUrl}/sessions/whoami`, { headers: { 'x-session-token': row.token } })
      assert.equal(answer.status, 401)
    }
  })

  test('a node tells it to its streams, with the device that Kratos noted', async (t) => {
    const server = await liveServerOn(t, db)
    const stream = await EventStreamClient.open(`${server.adminUrl}/admin/events/stream`)
    t.after(async () => stream.close())
    const id = await kratos.signIn(await kratos.newIdentity())
    await kratos.revoke(id)
    const told = await stream.take(2)
    assert.deepEqual(
      told.map(({ data }) => [data.type, data.cause, data.session_id, data.actor.application, data.device.user_agent]),
      [
        ['session.created', null, id, 'kratos', 'Firefox'],
        ['session.ended', 'ended_elsewhere', id, 'kratos', 'Firefox'],
      ],
    )
  })
})
