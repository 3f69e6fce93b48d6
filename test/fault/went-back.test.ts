import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { folder } from '../cli/folder.ts'
import { createDatabase, openAt } from '../helpers/db.ts'
import { ListFollower, StreamFollower } from '../helpers/followers.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'

/** Ends of sessions, by calls that may meet a database that is away. */
async function endSome(node: TestServer, count: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, () =>
      until(async () => {
        try {
          const { session } = await signedIn(node)
          await node.deps.sessions.revoke(session, 'logout')
          return session.id
        } catch {
          return undefined
        }
      }),
    ),
  )
}

const endsOf = (events: any[]) => new Set(events.filter((e) => e.type === 'session.ended').map((e) => e.session_id))
const hasAll = (heard: Set<string>, ids: readonly string[]) => ids.every((id) => heard.has(id))

/** What a follower of either kind must have been told after the log lost its end. */
async function hearsLater(
  node: TestServer,
  stream: StreamFollower,
  list: ListFollower,
  later: string[],
  lost: string[],
) {
  await until(() => hasAll(endsOf(stream.events), later), 'later ends in the stream')
  await until(async () => {
    await list.ask(node).catch(() => undefined)
    return hasAll(list.ended, later)
  }, 'later ends in the list')
  assert.deepEqual(
    stream.told.filter(({ event }) => event === 'gap').map(({ data }) => data.lost),
    [true],
  )
  assert.ok(
    list.answers.slice(1).some(({ reset }) => reset),
    'the list says that it begins again',
  )
  assert.ok(!lost.some((id) => list.ended.has(id)), 'what the log has lost is not in the whole list')
}

test('a database that is restored from a copy under running nodes is noticed: an epoch, a gap, and every later end', async (t) => {
  const url = await createDatabase(t, { migrated: true })
  const name = new URL(url).pathname.slice(1)
  const server = new pg.Client({ connectionString: String(new URL('/postgres', url)) })
  await server.connect()
  t.after(() => server.end())
  const receiver = await startReceiver(t)
  const webhooks = [{ id: 'hook', url: receiver.url, secret: 'sixteen letters.' }]
  const one = await testServer(t, { db: await openAt(t, url), config: { lethe: { events: { webhooks } } } })
  const two = await testServer(t, { db: await openAt(t, url) })
  for (const work of one.deps.background) work.start()
  t.after(async () => {
    for (const work of one.deps.background) await work.stop()
  })
  const [stream, list] = [new StreamFollower(), new ListFollower()]
  await stream.connect(two, '0')

  const kept = await endSome(one, 5)
  await until(() => hasAll(endsOf(stream.events), kept), 'the first ends')
  const heard = () => endsOf(receiver.received.map(({ event }) => event))
  await until(() => hasAll(heard(), kept), 'the first deliveries')
  // a copy is made of a database that nobody uses
  await server.query(`alter database ${name} allow_connections false`)
  const away = () => server.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
  await until(async () => {
    await away()
    return server.query(`create database ${name}_copy template ${name}`).then(
      () => true,
      () => false,
    )
  })
  await server.query(`alter database ${name} allow_connections true`)

  const lost = await endSome(one, 20)
  await until(() => hasAll(endsOf(stream.events), lost), 'ends that are lost later')
  await until(() => hasAll(heard(), lost), 'deliveries of them')
  await list.ask(one)
  await server.query(`alter database ${name} allow_connections false`)
  await until(async () => {
    await away()
    return server.query(`drop database ${name}`).then(
      () => true,
      () => false,
    )
  })
  await server.query(`alter database ${name}_copy rename to ${name}`)
  await server.query(`alter database ${name} allow_connections true`)

  const later = await endSome(two, 30)
  await hearsLater(two, stream, list, later, lost)
  await until(() => hasAll(heard(), later), 'later deliveries')
  await stream.disconnect()
  assert.match(one.logs() + two.logs(), /THE DATABASE WENT BACK IN TIME/)
  const check = await openAt(t, url)
  const reasons = await check.query<{ reason: string }>(
    sql('test.epoch_reasons', 'select reason from lethe.event_epochs where number > 0 order by number'),
  )
  assert.deepEqual(
    reasons.map(({ reason }) => reason),
    ['first', 'went_back'],
  )
})

test('an embedded database that is opened again from an older copy of its folder tells of the gap and every later end', async (t) => {
  const home = await folder(t)
  const [data, copy] = [join(home, 'data'), join(home, 'copy')]
  const open = async () => {
    const db = await openAt(t, `pglite://${data}`)
    await migrateUp(db)
    return testServer(t, { db })
  }
  const close = async (node: TestServer) => {
    await stream.disconnect()
    await node.close()
    await node.db.close()
  }
  const [stream, list] = [new StreamFollower(), new ListFollower()]
  let node = await open()
  await stream.connect(node, '0')
  const kept = await endSome(node, 5)
  await until(() => hasAll(endsOf(stream.events), kept), 'the first ends')
  await close(node)
  await cp(data, copy, { recursive: true })

  node = await open()
  await stream.connect(node)
  const lost = await endSome(node, 20)
  await until(() => hasAll(endsOf(stream.events), lost), 'ends that are lost later')
  await list.ask(node)
  assert.deepEqual(
    stream.told.filter(({ event }) => event === 'gap'),
    [],
    'a restart that loses nothing is not noticed',
  )
  await close(node)
  await rm(data, { recursive: true })
  await cp(copy, data, { recursive: true })

  node = await open()
  const later = await endSome(node, 30)
  await stream.connect(node)
  await hearsLater(node, stream, list, later, lost)
  await stream.disconnect()
})
