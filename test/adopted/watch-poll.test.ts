import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare } from '../../src/adopt/watch/store-poll.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { runHere } from '../cli/in-process.ts'
import { createKratosDatabase, openAt, type Scope } from '../helpers/db.ts'
import { connectAsKratos, kratosWrites } from '../helpers/kratos-writes.ts'
import { LIVE, liveConfig } from '../helpers/live-kratos.ts'
import { testServer } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'

const STORY = sql(
  'test.story_watch_poll',
  'select coalesce(cause, type) as what, actor from lethe.events where session_id = $1 order by seq',
)
const COUNT = sql('test.count', 'select count(*) from lethe.events')
const OBJECTS = sql(
  'test.objects',
  `select relname::text as name from pg_class where relnamespace = 'lethe'::regnamespace
   union all select proname from pg_proc where pronamespace = 'lethe'::regnamespace
   union all select key from lethe.meta order by 1`,
)
const nid = LIVE.network_id

async function polled(t: Scope) {
  const url = await createKratosDatabase(t)
  const db = await openAt(t, url)
  await migrateUp(db)
  const client = await connectAsKratos(t, url)
  const kratos = kratosWrites(client, nid)
  const before = { identity: await kratos.newIdentity(), id: '' }
  before.id = await kratos.signIn(before.identity)
  const objects = await db.query(OBJECTS)
  const on = await runHere(['adopt', 'watch', 'on', '--poll', '--yes', url])
  assert.equal(on.code, 0, on.stderr)
  // pages of three, so that there are many
  return { url, db, kratos, before, objects, look: () => compare(db, nid, new Date().toISOString(), 3) }
}

const storyOf = async (db: Db, id: string) => (await db.query<{ what: string }>(STORY, [id])).map(({ what }) => what)

test('each end is found by the next look, once, and what begins too', async (t) => {
  const { db, kratos, before, look } = await polled(t)
  const person = async () => {
    const identity = await kratos.newIdentity()
    return { identity, id: await kratos.signIn(identity) }
  }
  const [left, gone, deleted, disabled, staying, over] = [
    await person(),
    await person(),
    await person(),
    await person(),
    await person(),
    { identity: '', id: '' },
  ]
  over.id = await kratos.signIn(staying.identity, '-1 s')
  await look()
  assert.deepEqual(await storyOf(db, staying.id), ['session.created'])
  assert.deepEqual(await storyOf(db, before.id), [], 'it began before')

  await kratos.revoke(left.id)
  await kratos.deleteSessionsOf(gone.identity)
  await kratos.deleteIdentity(deleted.identity)
  await kratos.setState(disabled.identity, 'inactive')
  await kratos.cleanUp()
  await kratos.revoke(before.id)
  await look()
  await look()
  const told = async () => [
    (await storyOf(db, left.id)).slice(1),
    (await storyOf(db, gone.id)).slice(1),
    (await storyOf(db, deleted.id)).slice(1),
    (await storyOf(db, disabled.id)).slice(1),
    (await storyOf(db, staying.id)).slice(1),
    (await storyOf(db, over.id)).slice(1),
    await storyOf(db, before.id),
  ]
  assert.deepEqual(await told(), [
    ['ended_elsewhere'],
    ['ended_elsewhere'],
    ['identity_deleted'],
    ['identity_disabled'],
    [],
    ['expired'],
    ['ended_elsewhere'],
  ])
  await kratos.setState(disabled.identity, 'active')
  await look()
  await kratos.refresh(left.id)
  await kratos.revoke(disabled.id)
  await look()
  await look()
  assert.deepEqual(await storyOf(db, disabled.id), [
    'session.created',
    'identity_disabled',
    'session.resumed',
    'ended_elsewhere',
  ])
  assert.deepEqual(await storyOf(db, left.id), ['session.created', 'ended_elsewhere'], 'ended stays ended')
})

test('a session that began and ended between two looks is told, unless its row is gone', async (t) => {
  const { db, kratos, look } = await polled(t)
  const identity = await kratos.newIdentity()
  const [short, gone] = [await kratos.signIn(identity), await kratos.signIn(identity)]
  await kratos.revoke(short)
  await kratos.run('delete from sessions where id = $1', [gone])
  await look()
  assert.deepEqual(await storyOf(db, short), ['session.created', 'ended_elsewhere'])
  assert.deepEqual(await storyOf(db, gone), [])
})

test('a node looks by itself, tells what ended while none ran, and does not tell again what it ended itself', async (t) => {
  const { db, kratos } = await polled(t)
  const identity = await kratos.newIdentity()
  const [first, second] = [await kratos.signIn(identity), await kratos.signIn(identity)]
  await kratos.revoke(first)
  const node = await testServer(t, { db, base: { ...liveConfig(), dsn: 'memory' } })
  for (const work of node.deps.watchWork) work.start()
  t.after(async () => {
    for (const work of node.deps.watchWork) await work.stop()
  })
  await until(async () => (await storyOf(db, first)).length === 2, 'the first look')
  await node.deps.sessions.revoke({ id: second }, 'logout')
  await kratos.revoke(second)
  await compare(db, nid, new Date().toISOString(), 100)
  assert.deepEqual(await storyOf(db, second), ['session.created', 'logout'])
  const [, end] = await db.query<{ actor: unknown }>(STORY, [first])
  assert.equal(end!.actor, null)
  const list = (await (await fetch(`${node.adminUrl}/admin/events?session_id=${first}`)).json()) as any
  assert.ok(JSON.stringify(list).includes('"actor":null'), 'nobody is named where nobody is known')
})

test('it ends without a trace, and gives way to triggers without a gap', async (t) => {
  const { url, db, kratos, objects, look } = await polled(t)
  const stateOf = async () =>
    JSON.parse((await runHere(['adopt', 'watch', 'status', url, '--format', 'json'])).stdout).state
  assert.equal(await stateOf(), 'polling')
  const identity = await kratos.newIdentity()
  const [seen, unseen, later] = [
    await kratos.signIn(identity),
    await kratos.signIn(identity),
    await kratos.signIn(identity),
  ]
  await look()
  await kratos.revoke(seen)
  await kratos.run('delete from sessions where id = $1', [unseen])
  const on = await runHere(['adopt', 'watch', 'on', '--yes', url])
  assert.equal(on.code, 0, on.stderr)
  assert.equal(await stateOf(), 'on')
  await kratos.revoke(later)
  for (const id of [seen, unseen, later]) {
    assert.deepEqual(await storyOf(db, id), ['session.created', 'ended_elsewhere'])
  }
  const count = await db.query(COUNT)
  const off = await runHere(['adopt', 'watch', 'off', '--yes', url])
  assert.equal(off.code, 0, off.stderr)
  assert.equal(await stateOf(), 'off')
  assert.deepEqual(await db.query(OBJECTS), objects)
  assert.deepEqual(await db.query(COUNT), count)
})
