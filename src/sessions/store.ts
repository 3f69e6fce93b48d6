import type { Timestamp } from '../kernel/base/clock.ts'
import { type Db, NotLocked, type Queryable, type Sql, sql } from '../kernel/db/client.ts'
import { detailValues, lastEnd, live } from './lifecycle.ts'
import { COUNT_LIVE, END_OLDEST, REVOKE_ALL } from './lifecycle-statements.ts'
import { toSession } from './row.ts'
import { NO_RULES, type RulesSql } from './rules.ts'
import { lockIdentity, SELECT_SESSION, stillProven } from './sql.ts'
import type { AuthenticationMethod, Device, End, Session, SessionRow } from './types.ts'

const BY_ID = sql('session.by_id', `${SELECT_SESSION} where s.id = :id and s.nid = :nid`)

const insert = (
  token: string,
  logoutToken: string,
) => `with ${lockIdentity(':identity_id', ':nid')}, ${stillProven(':password_hash', ':nid')},
  session as (
    insert into sessions (id, issued_at, expires_at, authenticated_at, identity_id, created_at, updated_at,
      token, active, nid, logout_token, aal, authentication_methods)
    select :id::uuid, :now::timestamp, :expires_at::timestamp, :now, proven.id, :now, :now, ${token}, true, :nid::uuid, ${logoutToken}, :aal::text,
      :methods::jsonb
    from proven
    returning id, identity_id, logout_token
  ), device as (
    insert into session_devices (id, ip_address, user_agent, location, nid, session_id, created_at, updated_at, identity_id)
    select :device_id::uuid, :ip_address::text, :user_agent::text, :location::text, :nid, session.id, :now, :now, session.identity_id from session
  )
  insert into lethe.events (id, type, session_id, identity_id, nid, device, created_at)
  select gen_random_uuid(), 'session.created', session.id, session.identity_id, :nid,
    jsonb_build_object('ip_address', :ip_address::text, 'user_agent', coalesce(:user_agent::text, ''), 'location', :location::text), :now
  from session
  returning (select logout_token from session) as logout_token`

const INSERT = sql('session.insert', insert(':token::text', ':logout_token::text'))

/** Read from the database with each insert, so that no server that was started before goes on writing plain tokens. */
const HARDENED = `exists (select from lethe.meta m where m.key = 'tokens' and m.value <> '"plain"')`
const INSERT_SHARED = sql(
  'session.insert_shared',
  insert(
    `case when ${HARDENED} then :hardened_token else :token::text end`,
    `case when ${HARDENED} then :hardened_logout_token else :logout_token::text end`,
  ),
)

const REFRESH = sql(
  'session.refresh',
  `with ${lockIdentity(':identity_id', ':nid')}, ${stillProven(':password_hash', ':nid')}, target as (
    select s.id from proven join sessions s on s.identity_id = proven.id
    where s.id = :id and s.nid = :nid and ${live('s', ':now')}
    for no key update of s skip locked
  )
  update sessions set expires_at = ${lastEnd('sessions', undefined, ':expires_at::timestamp')}, authenticated_at = :now, updated_at = :now,
    aal = case when sessions.aal = 'aal2' then sessions.aal else :aal end,
    authentication_methods = coalesce(nullif(authentication_methods, 'null'), '[]') || :method::jsonb
  from target where sessions.id = target.id returning sessions.id`,
)

/** A session that has a level keeps it: the proof is only added. */
const RAISE = sql(
  'session.raise',
  `with ${lockIdentity(':identity_id', ':nid')}, target as (
    select s.id from identity join sessions s on s.identity_id = identity.id
    where identity.state = 'active' and s.id = :id and s.nid = :nid and ${live('s', ':now')}
    for no key update of s skip locked
  )
  update sessions set updated_at = :now, aal = case when sessions.aal = 'aal2' then sessions.aal else :aal end,
    authentication_methods = coalesce(nullif(authentication_methods, 'null'), '[]') || :method::jsonb
  from target where sessions.id = target.id returning sessions.id`,
)

/** Of a locked session. The form of the token is read from the database, as where a session begins. */
const REPLACE_TOKEN = sql(
  'session.replace_token',
  `update sessions set updated_at = :now, token = case when ${HARDENED} then :hardened::text else :token::text end
  where id = :id and nid = :nid`,
)

const LOCK_IDENTITY = sql('session.lock_identity', `with ${lockIdentity('$1', '$2')} select id from identity`)

/** Locks a session and its identity; what is read after this cannot change. */
const LOCK = sql(
  'session.lock',
  `with ${lockIdentity('$2', '$3')}
  select s.id from identity join sessions s on s.identity_id = identity.id
  where s.id = $1 and s.nid = $3 for no key update of s skip locked`,
)

/** The stored forms of a session's secrets. */
export interface StoredSecrets {
  token: string
  logoutToken: string
}

export interface NewSession extends StoredSecrets {
  id: string
  /** the hashed forms, for tables in which tokens are being hashed or have been */
  hardened?: StoredSecrets
  identityId: string
  /** the session begins only if this is still the identity's hash; undefined where no password was checked */
  passwordHash?: string | undefined
  now: Timestamp
  expiresAt: Timestamp
  aal: string
  methods: AuthenticationMethod[]
  device: Device
}

/** Which sessions of an identity: all, all but one, or those named. */
export interface SessionSelection {
  except?: string | undefined
  only?: readonly string[] | undefined
}

/** The session that ends others. */
export interface OnBehalfOf {
  session: string
  /** also if its identity is disabled */
  disabledToo: boolean
}

export interface EndAllOf extends SessionSelection, End {
  identityId: string
  now: Timestamp
  /** absent: an operator or the server */
  by?: OnBehalfOf | undefined
}

export interface Renewal {
  identityId: string
  /** the session is renewed only if this is still the identity's hash; undefined where no password was checked */
  passwordHash?: string | undefined
  expiresAt: Timestamp
  now: Timestamp
  aal: string
  method: AuthenticationMethod
}

export type SessionStore = ReturnType<typeof createSessionStore>

/** @param shared whether another program writes the same tables, so that ends need a tombstone */
export function createSessionStore(db: Db, nid: string, shared: boolean, rules: RulesSql = NO_RULES) {
  const byId = async (id: string, on: Queryable = db): Promise<Session | undefined> => {
    const [row] = await on.query<SessionRow>(BY_ID, { id, nid, rules: rules.sql() })
    return row && toSession(row)
  }
  return {
    byId,
    /** Reads, and locks the session and its identity until the transaction ends. @throws NotLocked */
    async lock(id: string, identityId: string, tx: Queryable): Promise<Session> {
      if ((await tx.query(LOCK, [id, identityId, nid])).length === 0) throw notLocked(LOCK)
      return (await byId(id, tx))!
    },
    /** @returns the stored logout token @throws NotLocked also when the identity is disabled or its hash has changed */
    async insert(s: NewSession, on: Queryable = db): Promise<string> {
      const { device, hardened, passwordHash = null } = s
      const statement = hardened ? INSERT_SHARED : INSERT
      const [row] = await on.query<{ logout_token: string }>(statement, {
        id: s.id,
        nid,
        now: s.now,
        expires_at: s.expiresAt,
        identity_id: s.identityId,
        password_hash: passwordHash,
        token: s.token,
        logout_token: s.logoutToken,
        aal: s.aal,
        methods: JSON.stringify(s.methods),
        device_id: device.id,
        ip_address: device.ip_address,
        user_agent: device.user_agent,
        location: device.location,
        ...(hardened ? { hardened_token: hardened.token, hardened_logout_token: hardened.logoutToken } : {}),
      })
      if (!row) throw notLocked(statement)
      return row.logout_token
    },
    /** @throws NotLocked also when the session has ended, or the identity is disabled or its hash has changed */
    async refresh(id: string, r: Renewal, on: Queryable = db): Promise<void> {
      const values = {
        id,
        nid,
        now: r.now,
        expires_at: r.expiresAt,
        aal: r.aal,
        method: JSON.stringify([r.method]),
        identity_id: r.identityId,
        password_hash: r.passwordHash ?? null,
        rules: rules.sql(),
      }
      if ((await on.query(REFRESH, values)).length === 0) throw notLocked(REFRESH)
    },
    /** @throws NotLocked also when the session has ended */
    async raise(id: string, r: Omit<Renewal, 'expiresAt' | 'passwordHash'>, tx: Queryable): Promise<void> {
      const values = {
        id,
        nid,
        now: r.now,
        identity_id: r.identityId,
        aal: r.aal,
        method: JSON.stringify([r.method]),
        rules: rules.sql(),
      }
      if ((await tx.query(RAISE, values)).length === 0) throw notLocked(RAISE)
    },
    async replaceToken(r: { id: string; token: string; hardened: string; now: Timestamp }, tx: Queryable) {
      await tx.query(REPLACE_TOKEN, { ...r, nid })
    },
    /** Live sessions of an identity that the transaction has locked. */
    async countLive(identityId: string, now: Timestamp, tx: Queryable): Promise<number> {
      const values = { identity_id: identityId, nid, now, rules: rules.sql() }
      return (await tx.query<{ count: number }>(COUNT_LIVE, values))[0]!.count
    },
    /** Makes room for one more where an identity, locked by the transaction, may have `max`. @returns how many ended */
    async endOldest(identityId: string, max: number, now: Timestamp, tx: Queryable): Promise<number> {
      const values = { identity_id: identityId, nid, now, max, shared, rules: rules.sql() }
      return (await tx.query(END_OLDEST, values)).length
    },
    /** Locks the identity until the transaction ends. @throws NotLocked */
    async lockIdentity(identityId: string, tx: Queryable): Promise<void> {
      if ((await tx.query(LOCK_IDENTITY, [identityId, nid])).length === 0) throw notLocked(LOCK_IDENTITY)
    },
    /**
     * @returns undefined when the session of `by` has ended
     * @throws NotLocked
     */
    async revokeAllOf({ identityId, now, except, only, by, ...end }: EndAllOf, on: Queryable = db) {
      const rows = await on.query<{ held: number; allowed: number; id: string | null }>(REVOKE_ALL, {
        identity_id: identityId,
        nid,
        now,
        shared,
        except: except ?? null,
        only: only ?? null,
        cause: end.cause,
        ...detailValues(end),
        caller: by?.session ?? null,
        disabled_too: by?.disabledToo ?? false,
        rules: rules.sql(),
      })
      if (rows[0]!.held === 0) throw notLocked(REVOKE_ALL)
      return rows[0]!.allowed === 0 ? undefined : rows.flatMap(({ id }) => id ?? [])
    },
  }
}

const notLocked = ({ name }: Sql) => new NotLocked(`${name}: its rows are held, or are not what they must be`)
