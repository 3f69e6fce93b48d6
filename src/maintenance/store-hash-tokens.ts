import type { Timestamp } from '../kernel/base/clock.ts'
import { type Db, sql } from '../kernel/db/client.ts'

/** `s2_` and 27 bytes of SHA-256 in base64url: what `storedToken` computes, computed by the database. */
const HASH = `'s2_' || translate(encode(substring(sha256(convert_to(sessions.token, 'UTF8')) for 27), 'base64'), '+/', '-_')`

const PLAIN = `left(s.token, 3) <> 's2_'`

const MODE = sql('hash_tokens.mode', `select value from lethe.meta where key = 'tokens'`)
const COUNT = sql('hash_tokens.count', `select count(*) as count from sessions s where s.nid = $1 and ${PLAIN}`)

const BEGIN = sql(
  'hash_tokens.begin',
  `update lethe.meta set value = '"hardening"' where key = 'tokens' and value <> '"hardening"'`,
)
/** Taken after the mode is committed: a transaction that read the old mode has a lower id, or is about to get one. */
const MARK = sql('hash_tokens.mark', 'select pg_current_xact_id()::text as xid')
/**
 * Whether every transaction of this database that had an id by then is over. A snapshot would also count other databases
 * of the same server, whose transactions may stay open for hours and read nothing here.
 */
const SETTLED = sql(
  'hash_tokens.settled',
  `select not exists (
    select from pg_stat_activity a
    where a.datname = current_database() and a.pid <> pg_backend_pid()
      and age(a.backend_xid) >= age($1::xid8::xid)
  ) and not exists (
    select from pg_prepared_xacts p where p.database = current_database() and age(p.transaction) >= age($1::xid8::xid)
  ) as settled`,
)

/** By primary key, so that a sweep reads the table once. A locked row belongs to a running login or logout: the next sweep takes it. */
const BATCH = sql(
  'hash_tokens.batch',
  `with target as (
    select s.id from sessions s where s.nid = $1 and s.id > $2 and ${PLAIN} order by s.id limit $3 for update skip locked
  ), hashed as (
    update sessions set token = ${HASH} from target where sessions.id = target.id returning sessions.id
  )
  select count(*) as count, max(id::text) as last from hashed`,
)
const FINISH = sql('hash_tokens.finish', `update lethe.meta set value = '"sha256"' where key = 'tokens'`)

/**
 * The latest row since `$2` that Kratos made, not Lethe. Lethe notes each session that it begins, and writes one time into
 * both columns of a flow where Kratos reads the clock twice.
 */
const LAST_FOREIGN = sql(
  'hash_tokens.last_foreign_write',
  `select max(at) as at from (
    select s.created_at as at from sessions s where s.nid = $1 and s.created_at >= $2 and not exists (
      select from lethe.events e where e.session_id = s.id and e.type = 'session.created')
    union all select created_at from selfservice_login_flows where nid = $1 and created_at >= $2 and issued_at <> created_at
    union all select created_at from selfservice_registration_flows where nid = $1 and created_at >= $2 and issued_at <> created_at
    union all select created_at from selfservice_settings_flows where nid = $1 and created_at >= $2 and issued_at <> created_at
  ) writes`,
)

const OTHERS = sql(
  'hash_tokens.other_programs',
  `select coalesce(nullif(application_name, ''), 'without a name') as name, count(*) as connections
   from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
     and application_name not like 'lethe%' group by 1 order by 1`,
)

export type HashTokensStore = ReturnType<typeof createHashTokensStore>

export function createHashTokensStore(db: Db, nid: string) {
  return {
    async mode(): Promise<string> {
      return String((await db.query<{ value: unknown }>(MODE))[0]?.value)
    },
    /** How many tokens are stored in plain form. */
    async remaining(): Promise<number> {
      return (await db.query<{ count: number }>(COUNT, [nid]))[0]!.count
    },
    /** Once this call returns, new tokens are stored hashed. @returns the mark for `settled` */
    async begin(): Promise<string> {
      await db.query(BEGIN)
      return (await db.query<{ xid: string }>(MARK))[0]!.xid
    },
    /** Whether every transaction older than the mark has ended. */
    async settled(mark: string): Promise<boolean> {
      return (await db.query<{ settled: boolean }>(SETTLED, [mark]))[0]!.settled
    },
    /** Hashes at most `limit` tokens of sessions after that id. `last` is undefined when there was none. */
    async batch(after: string, limit: number): Promise<{ count: number; last: string | undefined }> {
      const [row] = await db.query<{ count: number; last: string | null }>(BATCH, [nid, after, limit])
      return { count: row!.count, last: row!.last ?? undefined }
    },
    async finish(): Promise<void> {
      await db.query(FINISH)
    },
    /** Other programs that are connected, by the name they give. */
    otherPrograms: () => db.query<{ name: string; connections: number }>(OTHERS),
    /** When Kratos last wrote, if that was at `since` or later. */
    async lastForeignWrite(since: Timestamp): Promise<Timestamp | undefined> {
      return (await db.query<{ at: Timestamp | null }>(LAST_FOREIGN, [nid, since]))[0]!.at ?? undefined
    },
  }
}
