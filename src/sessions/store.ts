import type { Timestamp } from '../kernel/base/clock.ts'
import { type Db, NotLocked, type Queryable, type Sql, sql } from '../kernel/db/client.ts'
import { toSession } from './row.ts'
import { lockIdentity, recordEnds, SELECT_SESSION, stillProven } from './sql.ts'
import type { AuthenticationMethod, Device, EndCause, Session, SessionRow } from './types.ts'

const BY_ID = sql('session.by_id', `${SELECT_SESSION} where s.id = $1 and s.nid = $2`)

/** `$14` is the password hash that was checked. */
const insert = (token: string, logoutToken: string) => `with ${lockIdentity('$4', '$6')}, ${stillProven('$14', '$6')},
  session as (
    insert into sessions (id, issued_at, expires_at, authenticated_at, identity_id, created_at, updated_at,
      token, active, nid, logout_token, aal, authentication_methods)
    select $1::uuid, $2::timestamp, $3::timestamp, $2, proven.id, $2, $2, ${token}, true, $6::uuid, ${logoutToken}, $8::text,
      $9::jsonb
    from proven
    returning id, identity_id, logout_token
  ), device as (
    insert into session_devices (id, ip_address, user_agent, location, nid, session_id, created_at, updated_at, identity_id)
    select $10::uuid, $11::text, $12::text, $13::text, $6, session.id, $2, $2, session.identity_id from session
  )
  insert into lethe.events (id, type, session_id, identity_id, nid, device, created_at)
  select gen_random_uuid(), 'session.created', session.id, session.identity_id, $6,
    jsonb_build_object('ip_address', $11::text, 'user_agent', $12::text, 'location', $13::text), $2
  from session
  returning (select logout_token from session) as logout_token`

const INSERT = sql('session.insert', insert('$5::text', '$7::text'))

/** Asked of the database with each row, so that no server that was started before goes on writing plain tokens. */
const HARDENED = `exists (select from lethe.meta m where m.key = 'tokens' and m.value <> '"plain"')`
const INSERT_SHARED = sql(
  'session.insert_shared',
  insert(`case when ${HARDENED} then $15 else $5::text end`, `case when ${HARDENED} then $16 else $7::text end`),
)

const REFRESH = sql(
  'session.refresh',
  `with ${lockIdentity('$7', '$2')}, ${stillProven('$8', '$2')}, target as (
    select s.id from proven join sessions s on s.identity_id = proven.id
    where s.id = $1 and s.nid = $2 and s.active and s.expires_at > $4
      and not exists (select from lethe.tombstones x where x.session_id = s.id)
    for no key update of s skip locked
  )
  update sessions set expires_at = $3, authenticated_at = $4, updated_at = $4,
    aal = case when sessions.aal = 'aal2' then sessions.aal else $5 end,
    authentication_methods = coalesce(nullif(authentication_methods, 'null'), '[]') || $6::jsonb
  from target where sessions.id = target.id returning sessions.id`,
)

/** A session that has a level keeps it: what was proved beside is added only. */
const RAISE = sql(
  'session.raise',
  `with ${lockIdentity('$4', '$2')}, target as (
    select s.id from identity join sessions s on s.identity_id = identity.id
    where identity.state = 'active' and s.id = $1 and s.nid = $2 and s.active and s.expires_at > $3
      and not exists (select from lethe.tombstones x where x.session_id = s.id)
    for no key update of s skip locked
  )
  update sessions set updated_at = $3, aal = case when sessions.aal = 'aal2' then sessions.aal else $5 end,
    authentication_methods = coalesce(nullif(authentication_methods, 'null'), '[]') || $6::jsonb
  from target where sessions.id = target.id returning sessions.id`,
)

/** For a decision on a session and its identity that is made by what is read after this. */
const LOCK = sql(
  'session.lock',
  `with ${lockIdentity('$2', '$3')}
  select s.id from identity join sessions s on s.identity_id = identity.id
  where s.id = $1 and s.nid = $3 for no key update of s skip locked`,
)

const MEANT = '($6::uuid is null or s.id <> $6) and ($7::uuid[] is null or s.id = any ($7))'

/**
 * `$8` is the caller's session, `$9` whether it may belong to a disabled identity. It is locked with the others and in
 * their order, so that an end of it comes either before, and then nothing ends here, or after.
 */
const REVOKE_ALL = sql(
  'session.revoke_all_of_identity',
  `with ${lockIdentity('$1', '$2')}, locked as (
    select s.id, s.expires_at, ${MEANT} as meant from sessions s
    where s.identity_id = (select id from identity) and s.nid = $2 and s.active and (s.id = $8::uuid or ${MEANT})
    order by s.id for update
  ), allowed as (
    select identity.id from identity
    where $8 is null or ((identity.state = 'active' or $9::boolean) and exists (
      select from locked where locked.id = $8 and locked.expires_at > $4
        and not exists (select from lethe.tombstones x where x.session_id = locked.id)))
  ), ended as (
    update sessions set active = false from locked, allowed
    where sessions.id = locked.id and locked.meant and sessions.active
    returning sessions.id, sessions.identity_id
  ), ${recordEnds('$3', '$4', '$2', '$5::boolean')}
  select (select count(*) from identity) as held, (select count(*) from allowed) as allowed, ended.id
  from (values (true)) one (row) left join ended on true order by ended.id`,
)

/** What rests in the table of a session's secrets. */
export interface StoredSecrets {
  token: string
  logoutToken: string
}

export interface NewSession extends StoredSecrets {
  id: string
  /** what rests instead where tokens that Kratos shared are being hashed, or have been */
  hardened?: StoredSecrets
  identityId: string
  /** the session begins only while it is the identity's; undefined where no password was checked */
  passwordHash?: string | undefined
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

/** Whose session says that others may be ended. */
export interface By {
  session: string
  /** also while its identity is disabled */
  disabledToo: boolean
}

export interface Renewal {
  identityId: string
  /** the session is renewed only while it is the identity's; undefined where no password was checked */
  passwordHash?: string | undefined
  expiresAt: Timestamp
  now: Timestamp
  aal: string
  method: AuthenticationMethod
}

export type SessionStore = ReturnType<typeof createSessionStore>

/** @param shared whether another program writes the same tables, so that ends need a tombstone */
export function createSessionStore(db: Db, nid: string, shared: boolean) {
  const byId = async (id: string, on: Queryable = db): Promise<Session | undefined> => {
    const [row] = await on.query<SessionRow>(BY_ID, [id, nid])
    return row && toSession(row)
  }
  return {
    byId,
    /** Reads, and keeps the session and its identity as they are until the transaction ends. @throws NotLocked */
    async lock(id: string, identityId: string, tx: Queryable): Promise<Session> {
      if ((await tx.query(LOCK, [id, identityId, nid])).length === 0) throw notLocked(LOCK)
      return (await byId(id, tx))!
    },
    /** @returns the logout token that was stored @throws NotLocked also where the identity is not as it was proven */
    async insert(s: NewSession, on: Queryable = db): Promise<string> {
      const { device, hardened, passwordHash = null } = s
      const statement = hardened ? INSERT_SHARED : INSERT
      const [row] = await on.query<{ logout_token: string }>(statement, [
        ...[s.id, s.now, s.expiresAt, s.identityId, s.token, nid, s.logoutToken, s.aal, JSON.stringify(s.methods)],
        ...[device.id, device.ip_address, device.user_agent, device.location, passwordHash],
        ...(hardened ? [hardened.token, hardened.logoutToken] : []),
      ])
      if (!row) throw notLocked(statement)
      return row.logout_token
    },
    /** @throws NotLocked also where the session has ended, or the identity is not as it was proven */
    async refresh(id: string, r: Renewal, on: Queryable = db): Promise<void> {
      const { passwordHash = null } = r
      const values = [id, nid, r.expiresAt, r.now, r.aal, JSON.stringify([r.method]), r.identityId, passwordHash]
      if ((await on.query(REFRESH, values)).length === 0) throw notLocked(REFRESH)
    },
    /** @throws NotLocked also where the session has ended */
    async raise(id: string, r: Omit<Renewal, 'expiresAt' | 'passwordHash'>, tx: Queryable): Promise<void> {
      const values = [id, nid, r.now, r.identityId, r.aal, JSON.stringify([r.method])]
      if ((await tx.query(RAISE, values)).length === 0) throw notLocked(RAISE)
    },
    /**
     * @param by without: nobody is asked
     * @returns undefined when the session of `by` has ended
     * @throws NotLocked
     */
    async revokeAllOf(
      identityId: string,
      cause: EndCause,
      now: Timestamp,
      which: Which,
      on: Queryable = db,
      by?: By,
    ): Promise<string[] | undefined> {
      const { except = null, only = null } = which
      const caller = [by?.session ?? null, by?.disabledToo ?? false]
      const values = [identityId, nid, cause, now, shared, except, only, ...caller]
      const rows = await on.query<{ held: number; allowed: number; id: string | null }>(REVOKE_ALL, values)
      if (rows[0]!.held === 0) throw notLocked(REVOKE_ALL)
      return rows[0]!.allowed === 0 ? undefined : rows.flatMap(({ id }) => id ?? [])
    },
  }
}

const notLocked = ({ name }: Sql) => new NotLocked(`${name}: its rows are held, or are not what they must be`)
