import { randomUUID } from 'node:crypto'
import pg from 'pg'

const ADD = `insert into lethe.events (id, type, cause, session_id, identity_id, nid, created_at)
  values (gen_random_uuid(), 'session.ended', 'logout', $1, gen_random_uuid(), $2, now() at time zone 'utc')`

/**
 * An end in a transaction of somebody else, without any limit of ours, that stays open for as long as `work` takes.
 * @returns the session
 */
export async function held(url: string, nid: string, work: () => Promise<unknown>): Promise<string> {
  const session = randomUUID()
  const client = new pg.Client({ connectionString: url, application_name: 'somebody else' })
  await client.connect()
  try {
    await client.query('begin')
    await client.query(ADD, [session, nid])
    await work()
    await client.query('commit')
  } finally {
    await client.end()
  }
  return session
}
