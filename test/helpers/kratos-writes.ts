import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Scope } from './db.ts'

const secret = (prefix: string) => `${prefix}${randomBytes(16).toString('hex')}`

/** A connection under the name that Kratos's would have. */
export async function connectAsKratos(t: Scope, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'kratos' })
  // the database is dropped first
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  return client
}

/** What Kratos v26.2.0 writes about sessions, statement by statement, over a connection of its own. */
export function kratosWrites(client: pg.Client, nid: string) {
  const run = async (text: string, values: unknown[] = []) => (await client.query(text, values)).rows
  const tx = async <R>(work: () => Promise<R>): Promise<R> => {
    await client.query('begin')
    try {
      const result = await work()
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback')
      throw error
    }
  }
  const insertSession = (id: string, identityId: string, validFor = '1 day') =>
    run(
      `insert into sessions (aal, active, authenticated_at, authentication_methods, created_at, expires_at, id, identity_id,
         issued_at, logout_token, nid, token, updated_at)
       values ('aal1', true, now() at time zone 'utc', '[{"method": "password", "aal": "aal1"}]', now() at time zone 'utc',
         (now() + $5::interval) at time zone 'utc', $1, $2, now() at time zone 'utc', $3, $4, $6, now() at time zone 'utc')`,
      [id, identityId, secret('ory_lo_'), nid, validFor, secret('ory_st_')],
    )
  return {
    run,
    tx,
    async newIdentity(): Promise<string> {
      const id = randomUUID()
      await run(
        `insert into identities (id, schema_id, traits, created_at, updated_at, nid, state)
         values ($1::uuid, 'default', jsonb_build_object('email', $1::uuid || '@example.org'), now() at time zone 'utc', now() at time zone 'utc', $2, 'active')`,
        [id, nid],
      )
      return id
    },
    /** login and registration with a session: the session and its device, in one transaction */
    async signIn(identityId: string, validFor?: string): Promise<string> {
      const id = randomUUID()
      await tx(async () => {
        await insertSession(id, identityId, validFor)
        await run(
          `insert into session_devices (id, ip_address, user_agent, location, nid, session_id, created_at, updated_at, identity_id)
           values ($1, '192.0.2.7', 'Firefox', '', $2, $3, now() at time zone 'utc', now() at time zone 'utc', $4)`,
          [randomUUID(), nid, id, identityId],
        )
      })
      return id
    },
    /** a step-up login that began before the row was deleted */
    insertAgain: insertSession,
    /** logout of a browser or an app, `DELETE /sessions/{id}`, `DELETE /admin/sessions/{id}` */
    revoke: (id: string) => run('update sessions set active = false where id = $1 and nid = $2', [id, nid]),
    /** `DELETE /sessions`: also those that are inactive */
    revokeOthers: (identityId: string, except: string) =>
      run('update sessions set active = false where identity_id = $1 and id != $2 and nid = $3', [
        identityId,
        except,
        nid,
      ]),
    /** `DELETE /admin/identities/{id}/sessions` */
    deleteSessionsOf: (identityId: string) =>
      run('delete from sessions where identity_id = $1 and nid = $2', [identityId, nid]),
    deleteIdentity: (identityId: string) => run('delete from identities where id = $1 and nid = $2', [identityId, nid]),
    setState: (identityId: string, state: 'active' | 'inactive') =>
      run(
        `update identities set schema_id = schema_id, traits = traits, nid = nid, state = $2,
           state_changed_at = now() at time zone 'utc', updated_at = now() at time zone 'utc' where id = $1 and nid = $3`,
        [identityId, state, nid],
      ),
    /** a login with `refresh`: the whole row, also where it was revoked meanwhile */
    refresh: (id: string) =>
      run(
        `update sessions set aal = aal, active = true, authenticated_at = now() at time zone 'utc',
           expires_at = (now() + interval '1 day') at time zone 'utc', updated_at = now() at time zone 'utc'
         where id = $1 and nid = $2`,
        [id, nid],
      ),
    extend: (id: string) =>
      run(
        `update sessions set expires_at = (now() + interval '2 days') at time zone 'utc', updated_at = now() at time zone 'utc'
         where id = $1 and nid = $2`,
        [id, nid],
      ),
    /** `kratos cleanup sql` */
    cleanUp: () =>
      run(`delete from sessions where id in (select id from sessions where expires_at < now() at time zone 'utc')`),
  }
}

export type KratosWrites = ReturnType<typeof kratosWrites>
