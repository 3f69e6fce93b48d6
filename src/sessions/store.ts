import type { Timestamp } from '../kernel/base/clock.ts'
import { type Db, type Queryable, sql } from '../kernel/db/client.ts'
import { toSession } from './row.ts'
import { recordEnds, SELECT_SESSION } from './sql.ts'
import type { AuthenticationMethod, Device, EndCause, Session, SessionRow } from './types.ts'

const BY_ID = sql('session.by_id', `${SELECT_SESSION} where s.id = $1 and s.nid = $2`)

const insert = (token: string, logoutToken: string) => `with session as (
    insert into sessions (id, issued_at, expires_at, authenticated_at, identity_id, created_at, updated_at,
      token, active, nid, logout_token, aal, authentication_methods)
    values ($1, $2, $3, $2, $4, $2, $2, ${token}, true, $6, ${logoutToken}, $8, $9)
    returning logout_token
  ), device as (
    insert into session_devices (id, ip_address, user_agent, location, nid, session_id, created_at, updated_at, identity_id)
    values ($10, $11, $12, $13, $6, $1, $2, $2, $4)
  )
  insert into lethe.events (id, type, session_id, identity_id, nid, device, created_at)
  values (gen_random_uuid(), 'session.created', $1, $4, $6,
    jsonb_build_object('ip_address', $11::text, 'user_agent', $12::text, 'location', $13::text), $2)
  returning (select logout_token from session) as logout_token`

const INSERT = sql('session.insert', insert('$5', '$7'))

/** Asked of the database with each row, so that no server that was started before goes on writing plain tokens. */
const HARDENED = `exists (select from lethe.meta m where m.key = 'tokens' and m.value <> '"plain"')`
const INSERT_SHARED = sql(
  'session.insert_shared',
  insert(`case when ${HARDENED} then $14 else $5 end`, `case when ${HARDENED} then $15 else $7 end`),
)

const REFRESH = sql(
  'session.refresh',
  `update sessions set expires_at = $3, authenticated_at = $4, updated_at = $4, aal = $5,
    authentication_methods = coalesce(nullif(authentication_methods, 'null'), '[]') || $6::jsonb
  where id = $1 and nid = $2 and active
    and not exists (select from lethe.tombstones x where x.session_id = sessions.id)
  returning id`,
)

/** Rows are locked in one order, so that two of these at once wait for each other instead of deadlocking. */
const REVOKE_ALL = sql(
  'session.revoke_all_of_identity',
  `with target as (
    select id from sessions
    where identity_id = $1 and nid = $2 and active
      and ($6::uuid is null or id <> $6) and ($7::uuid[] is null or id = any ($7))
    order by id for update
  ), ended as (
    update sessions set active = false from target where sessions.id = target.id and sessions.active
    returning sessions.id, sessions.identity_id
  ), ${recordEnds('$3', '$4', '$2', '$5::boolean')}
  select id from ended order by id`,
)

/** What rests in the table of a session's secrets. */
export interface RestingSecrets {
  token: string
  logoutToken: string
}

export interface NewSession extends RestingSecrets {
  id: string
  /** what rests instead where tokens that Kratos shared are being hashed, or have been */
  hardened?: RestingSecrets
  identityId: string
  now: Timestamp
  expiresAt: Timestamp
  aal: string
  methods: AuthenticationMethod[]
  device: Device
}

/** Which sessions of an identity are meant: all of them, but one, or those named. */
export interface Which {
  except?: string | undefined
  only?: readonly string[] | undefined
}

export interface Renewal {
  expiresAt: Timestamp
  now: Timestamp
  aal: string
  method: AuthenticationMethod
}

export type SessionStore = ReturnType<typeof createSessionStore>

/**
 * @param shared whether another program writes the same tables, so that ends need a tombstone
 * @param patient for what waits until somebody else lets go of a row; see db/lane.ts
 */
export function createSessionStore(db: Db, nid: string, shared: boolean, patient: Queryable = db) {
  return {
    async byId(id: string): Promise<Session | undefined> {
      const [row] = await db.query<SessionRow>(BY_ID, [id, nid])
      return row && toSession(row)
    },
    /** @returns the logout token that was stored */
    async insert(s: NewSession, on: Queryable = db): Promise<string> {
      const { device, hardened } = s
      const [row] = await on.query<{ logout_token: string }>(hardened ? INSERT_SHARED : INSERT, [
        ...[s.id, s.now, s.expiresAt, s.identityId, s.token, nid, s.logoutToken, s.aal, JSON.stringify(s.methods)],
        ...[device.id, device.ip_address, device.user_agent, device.location],
        ...(hardened ? [hardened.token, hardened.logoutToken] : []),
      ])
      return row!.logout_token
    },
    /** @returns whether the session was still there to be renewed */
    async refresh(id: string, r: Renewal): Promise<boolean> {
      const values = [id, nid, r.expiresAt, r.now, r.aal, JSON.stringify([r.method])]
      return (await patient.query(REFRESH, values)).length > 0
    },
    async revokeAllOf(
      identityId: string,
      cause: EndCause,
      now: Timestamp,
      which: Which,
      on: Queryable = patient,
    ): Promise<string[]> {
      const { except = null, only = null } = which
      const rows = await on.query<{ id: string }>(REVOKE_ALL, [identityId, nid, cause, now, shared, except, only])
      return rows.map((row) => row.id)
    },
  }
}
