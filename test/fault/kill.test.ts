import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from '../../src/kernel/db/client.ts'
import { createDatabase, openAt } from '../helpers/db.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { testServer } from '../helpers/server.ts'
import { assertTruth, LOGOUTS, manySessions, serverProcess, signOutAll } from './storm.ts'

const TERMINATE = sql(
  'test.terminate',
  'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
)

describe(`whatever is killed amid ${LOGOUTS} logouts, the answers that were given stay true`, () => {
  test('the server', async (t) => {
    const dsn = await createDatabase(t, { migrated: true })
    const beside = await testServer(t, { db: await openAt(t, dsn) })
    const sessions = await manySessions(beside)
    let child = await serverProcess(t, dsn)
    await child.ready()
    const dead = child
    const outcome = await signOutAll(
      () => dead.url,
      sessions.leaving,
      (count) => void (count === Math.floor(LOGOUTS / 2) && dead.kill()),
    )
    assert.ok(outcome.acknowledged.size > 0 && outcome.unknown.size > 0, 'it was not killed in the middle')
    child = await serverProcess(t, dsn)
    await child.ready()
    await assertTruth(child.url, sessions, outcome, beside)
  })

  test('connections to the database, again and again', async (t) => {
    const dsn = await createDatabase(t, { migrated: true })
    const beside = await testServer(t, { db: await openAt(t, dsn) })
    const sessions = await manySessions(beside)
    const child = await serverProcess(t, dsn)
    await child.ready()
    // One after the other: they would end each other.
    let terminated: Promise<unknown> = Promise.resolve()
    const outcome = await signOutAll(
      () => child.url,
      sessions.leaving,
      (count) => {
        if (count % 25 === 0) terminated = terminated.then(() => beside.db.query(TERMINATE))
      },
    )
    await terminated
    assert.ok(outcome.acknowledged.size > 0)
    await child.ready()
    await assertTruth(child.url, sessions, outcome, beside)
  })

  test('the database, with what its disk has', async (t) => {
    const postgres = await startPostgres([
      'fsync=on',
      'synchronous_commit=on',
      'unix_socket_directories=',
      'max_connections=50',
    ])
    t.after(() => postgres.stop())
    const child = await serverProcess(t, postgres.url)
    await child.ready()
    const beside = await testServer(t, { db: await openAt(t, postgres.url) })
    const sessions = await manySessions(beside)
    let recovery: Promise<void> | undefined
    const outcome = await signOutAll(
      () => child.url,
      sessions.leaving,
      (count) => {
        if (count === Math.floor(LOGOUTS / 3)) recovery = postgres.crash().then(() => postgres.restart())
      },
    )
    assert.ok(outcome.acknowledged.size > 0 && outcome.unknown.size > 0, 'it was not killed in the middle')
    await recovery
    await child.ready()
    await assertTruth(child.url, sessions, outcome, beside)
  })
})
