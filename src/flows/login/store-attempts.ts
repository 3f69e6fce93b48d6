import type { Micros } from '../../kernel/base/clock.ts'
import { type Db, sql } from '../../kernel/db/client.ts'

/** A counted key, and how many failures it may have within the window. */
export interface Count {
  key: string
  allowed: number
}

/**
 * The failures that reached the limit: until they have left the window no other is allowed. Every login asks twice, so it is
 * written for one plan that is kept, by the index from the first row on (see sessions/store-hot.ts). Planned anew it
 * took 270 µs instead of 55 in a table of 20,000 keys, which is what an attack makes of it.
 */
const REACHED = sql(
  'login_failures.reached',
  `select c.key, n.at from unnest((select $1::text[]), (select $2::int[])) as c (key, allowed)
  cross join lateral (select times from lethe.login_failures where key = c.key limit 1) f
  cross join lateral (
    select t as at from unnest(f.times) as t where t > $3 order by t desc offset c.allowed - 1 limit 1
  ) n`,
)

/** Rows are locked in one order, so that two failures never deadlock. */
const ADD = sql(
  'login_failures.add',
  `with over as (
    select f.key from lethe.login_failures f
    where f.expires_at <= $2 and f.key <> all($1) order by f.expires_at limit 16 for update skip locked
  ), swept as (
    delete from lethe.login_failures f using over where f.key = over.key
  )
  insert into lethe.login_failures as f (key, times, expires_at)
  select k, array[$2::bigint], $4 from unnest($1::text[]) as k order by k
  on conflict (key) do update set
    times = (
      select array_agg(r.t order by r.t) from (
        select t from unnest(f.times || excluded.times) as t where t > $3 order by t desc limit $5
      ) r
    ),
    expires_at = excluded.expires_at
  returning key, times`,
)

/** The first one within the window stays, until it has left it. */
const FIRST = sql(
  'login_failures.first',
  `insert into lethe.login_failures as f (key, times, expires_at) values ($1, array[$2::bigint], $4)
  on conflict (key) do update set
    times = case when f.times[1] > $3 then f.times else excluded.times end,
    expires_at = case when f.times[1] > $3 then f.expires_at else excluded.expires_at end
  returning times[1] as at`,
)

/** The latest only: an owner with a thousand sessions is one person. */
const ADDRESSES = sql(
  'login_failures.known_addresses',
  `select distinct d.ip_address as address from (
    select id from sessions where nid = $2 and identity_id = $1 order by created_at desc limit 50
  ) s join session_devices d on d.session_id = s.id where d.nid = $2 and d.ip_address <> ''`,
)

export type AttemptStore = ReturnType<typeof createAttemptStore>

export function createAttemptStore(db: Pick<Db, 'query'>, nid: string) {
  async function reachedBy(counts: readonly Count[], since: Micros): Promise<{ key: string; at: Micros }[]> {
    const [keys, allowed] = [counts.map(({ key }) => key), counts.map((count) => count.allowed)]
    return db.query(REACHED, [keys, allowed, since])
  }
  return {
    /** When the failure happened that has to leave the window; undefined while one more is allowed. */
    async reached(counts: readonly Count[], since: Micros): Promise<Micros | undefined> {
      const rows = await reachedBy(counts, since)
      return rows.length === 0 ? undefined : Math.max(...rows.map(({ at }) => at))
    },

    /** Those that are at their limit. */
    reachedBy,

    /** @returns for each key the failures since, this one included, the oldest first; `keep` of them at most */
    async add(
      counts: readonly Count[],
      when: { now: Micros; since: Micros; until: Micros; keep: number },
      on: Pick<Db, 'query'> = db,
    ): Promise<{ key: string; times: Micros[] }[]> {
      const keys = counts.map(({ key }) => key)
      return on.query(ADD, [keys, when.now, when.since, when.until, when.keep])
    },

    /** Of several at once, one is the first: the others wait until it is stored. @returns its time */
    async first(
      key: string,
      { now, since, until }: { now: Micros; since: Micros; until: Micros },
      on: Pick<Db, 'query'> = db,
    ): Promise<Micros> {
      return (await on.query<{ at: Micros }>(FIRST, [key, now, since, until]))[0]!.at
    },

    /** Addresses of recent sign-ins. */
    async knownAddresses(identityId: string): Promise<string[]> {
      const rows = await db.query<{ address: string }>(ADDRESSES, [identityId, nid])
      return rows.map(({ address }) => address)
    },
  }
}
