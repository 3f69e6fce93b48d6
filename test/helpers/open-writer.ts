import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Scope } from './db.ts'

const ADD = `insert into lethe.events (id, type, cause, session_id, identity_id, nid, created_at)
  values (gen_random_uuid(), 'session.ended', 'logout', $1, gen_random_uuid(), $2, now() at time zone 'utc')`

/** Somebody else's transaction that has written an event and stays open, holding the log back. */
export async function openWriter(t: Scope, url: string, nid: string) {
  const client = new pg.Client({ connectionString: url, application_name: 'nightly "job"' })
  // when a test fails, its database goes before this connection
  client.on('error', () => undefined)
  await client.connect()
  let ended: Promise<void> | undefined
  const end = () => (ended ??= client.end())
  t.after(end)
  await client.query('begin')
  await client.query(ADD, [randomUUID(), nid])
  const { rows } = await client.query<{ pid: number; at: string }>(
    `select pg_backend_pid() as pid, to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
  )
  return {
    pid: rows[0]!.pid,
    /** when the event stood there, by the clock of the database */
    wroteAt: rows[0]!.at,
    async commit() {
      await client.query('commit')
      await end()
    },
  }
}
