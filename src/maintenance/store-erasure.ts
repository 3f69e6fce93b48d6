import { KINDS } from '../flows/kinds.ts'
import type { Timestamp } from '../kernel/base/clock.ts'
import { type Db, type Queryable, type Sql, sql } from '../kernel/db/client.ts'

const REQUEST = sql(
  'erasure.request',
  `with step as (
    delete from lethe.totp_steps where identity_id = :identity_id
  ), parties as (
    delete from lethe.key_parties where identity_id = :identity_id
  ), upstream as (
    delete from lethe.upstream_sessions u using sessions s
    where s.identity_id = :identity_id and s.nid = :nid and u.session_id = s.id
  )
  insert into lethe.erasures (identity_id, nid, names, requested_at) values (:identity_id, :nid, :names, :now)
  on conflict (identity_id) do update
    set names = array(select unnest(erasures.names) union select unnest(excluded.names)), requested_at = excluded.requested_at`,
)

/** The end itself, its cause and time stay: they are counted, and identify no one. */
const FORGET_DEVICES = sql(
  'erasure.forget_devices',
  `with page as (
    select e.seq from lethe.events e where e.identity_id = :identity_id and e.nid = :nid and e.seq > :after
    order by e.seq limit :limit
  ), forgotten as (
    update lethe.events e set device = null from page where e.seq = page.seq and e.device is not null
  )
  select count(*) as count, max(page.seq) as last from page`,
)

const DELETE_MESSAGES = sql(
  'erasure.delete_messages',
  `with target as (
    select m.id from courier_messages m where m.nid = :nid and m.recipient = any (:names::text[]) and m.created_at <= :until
    order by m.id limit :limit for update
  ), gone as (
    delete from courier_messages m using target where m.id = target.id returning m.id
  ), claim as (
    delete from lethe.courier_claims c using gone where c.message_id = gone.id
  )
  select count(*) as count from gone`,
)

const KNOWN = sql(
  'erasure.known',
  `select from lethe.events e where e.identity_id = :identity_id and e.nid = :nid limit 1`,
)
const PENDING = sql(
  'erasure.pending',
  `select x.identity_id, x.names, x.requested_at from lethe.erasures x where x.nid = :nid order by x.requested_at limit :limit`,
)
const FINISH = sql(
  'erasure.finish',
  'delete from lethe.erasures where identity_id = any (:ids::uuid[]) and requested_at <= :until',
)

/** Tables of input that belongs to no identity yet; rows of an identity are deleted with it. */
const TABLES = [...Object.values(KINDS).map(({ table }) => table), 'continuity_containers'] as const
export type TypedTable = (typeof TABLES)[number]

/** An address counts wherever it is found; a name that could be any word only in the input for it. */
const typedInto = (table: string) => `
  exists (select from unnest(:words::text[], :patterns::text[], :untils::timestamp[]) as x (word, pattern, until)
    where t.created_at <= x.until and position(x.word in lower(to_jsonb(t)::text)) > 0 and lower(to_jsonb(t)::text) ~ x.pattern)
  ${
    table === 'continuity_containers'
      ? ''
      : `or exists (
    select from jsonb_array_elements(case jsonb_typeof(t.ui -> 'nodes') when 'array' then t.ui -> 'nodes' else '[]' end) n
      join unnest(:names::text[], :name_untils::timestamp[]) as x (name, until) on x.name = lower(n -> 'attributes' ->> 'value')
    where t.created_at <= x.until
      and (n -> 'attributes' ->> 'name' = 'identifier' or n -> 'attributes' ->> 'name' like 'traits.%'))`
  }`

const DELETE_TYPED = Object.fromEntries(
  TABLES.map((table) => [
    table,
    sql(
      `erasure.delete_${table}`,
      `with page as (
        select t.id from ${table} t where t.id > :after and t.nid = :nid order by t.id limit :limit
      ), target as (
        select t.id from ${table} t join page on page.id = t.id where ${typedInto(table)} order by t.id for update of t
      ), gone as (
        delete from ${table} t using target where t.id = target.id
      )
      select (select max(page.id::text) from page) as last, (select count(*) from page) as seen`,
    ),
  ]),
) as Record<TypedTable, Sql>

export interface PendingErasure {
  identity_id: string
  names: string[]
  requested_at: Timestamp
}

/** Texts to look for, each in rows that are older than its request. */
export interface Words {
  words: string[]
  /** regular expressions of the words: as a whole, and not as the end of another address */
  patterns: string[]
  untils: Timestamp[]
  names: string[]
  name_untils: Timestamp[]
}

export type ErasureStore = ReturnType<typeof createErasureStore>

/** Each call handles at most `limit` rows in one statement. */
export function createErasureStore(db: Db, nid: string) {
  return {
    tables: TABLES,
    async request(identityId: string, names: readonly string[], now: Timestamp, on: Queryable = db): Promise<void> {
      await on.query(REQUEST, { identity_id: identityId, nid, names, now })
    },
    /** Whether the log of events tells of the identity. */
    async isKnown(identityId: string): Promise<boolean> {
      return (await db.query(KNOWN, { identity_id: identityId, nid })).length > 0
    },
    /** @param after the row behind which it begins @returns where to go on; undefined at the end */
    async forgetDevices(identityId: string, after: number, limit: number, on: Queryable = db) {
      const values = { identity_id: identityId, nid, after, limit }
      const [row] = await on.query<{ count: number; last: number | null }>(FORGET_DEVICES, values)
      return row!.count < limit ? undefined : row!.last!
    },
    async deleteMessages(
      names: readonly string[],
      until: Timestamp,
      limit: number,
      on: Queryable = db,
    ): Promise<number> {
      return (await on.query<{ count: number }>(DELETE_MESSAGES, { nid, names, until, limit }))[0]!.count
    },
    pending: (limit: number): Promise<PendingErasure[]> => db.query(PENDING, { nid, limit }),
    async finish(ids: readonly string[], until: Timestamp): Promise<void> {
      await db.query(FINISH, { ids, until })
    },
    /** @param after the row behind which it begins @returns where to go on; undefined at the end */
    async deleteTyped(
      table: TypedTable,
      { words, patterns, untils, names, name_untils }: Words,
      after: string,
      limit: number,
    ) {
      const own = table === 'continuity_containers' ? {} : { names, name_untils }
      const values = { nid, words, patterns, untils, ...own, after, limit }
      const [row] = await db.query<{ last: string | null; seen: number }>(DELETE_TYPED[table], values)
      return row!.seen < limit ? undefined : row!.last!
    },
  }
}
