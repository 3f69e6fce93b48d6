import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, StoreError, sql } from '../../kernel/db/client.ts'

/** Identifies one run of a server. `$1` stands for an embedded one, which does not know when it was started. */
const SERVER = `coalesce($1, extract(epoch from pg_postmaster_start_time())::text)`

/**
 * Reads how far the log goes and which transactions are writing to it, and moves the mark as far as is safe.
 *
 * A writer takes its lock before it draws a sequence number and releases it after its rows are visible, whatever the plan and
 * the number of rows. The locks are read after the snapshot was taken, and events at or below the mark are read by later
 * statements: a writer with a number at or below `newest` either still holds its lock, or those statements see its row.
 * `$2` `$3` are the epoch and the mark that the caller knows, `$4` `$5` a position that was seen and when, `$6` the writers then.
 */
const ADVANCE = sql(
  'events.advance_mark',
  `with writer as (
    select l.virtualtransaction as id, l.pid, a.application_name as application, a.xact_start as since
    from pg_locks l left join lateral pg_stat_get_activity(coalesce(l.pid, 0)) a on true
    where l.locktype = 'relation' and l.relation = 'lethe.events'::regclass and l.mode = 'RowExclusiveLock' and l.granted
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and l.pid is distinct from pg_backend_pid()
  ), newest as (
    select coalesce(max(e.seq), 0) as seq from lethe.events e
  ), epoch as (
    select m.number, m.id, m.server, m.timeline, m.reason, m.begins_after, m.complete, m.complete_at
    from lethe.event_epochs m order by m.number desc limit 1
  ), safe as (
    select case when not exists (select from writer) then newest.seq
        when not exists (select from writer w where w.id = any ($6::text[])) then $4::bigint end as complete,
      case when not exists (select from writer) then now()
        else least($5::timestamptz, (select min(w.since) from writer w)) end as complete_at
    from newest
  ), moved as (
    update lethe.event_epochs m
    set complete = safe.complete, complete_at = greatest(m.complete_at, safe.complete_at)
    from safe, epoch
    where m.number = epoch.number and not m.ended and m.server = ${SERVER} and m.complete < safe.complete
      and ($2::text is null or m.id = $2 and m.complete >= $3::bigint)
    returning m.complete, m.complete_at
  )
  select epoch.number, epoch.id, epoch.server = ${SERVER} as same_server, epoch.timeline, epoch.reason, epoch.begins_after,
    coalesce((select moved.complete from moved), epoch.complete) as complete,
    coalesce((select moved.complete_at from moved), epoch.complete_at) as complete_at,
    newest.seq as newest, now() as read_at,
    exists (select from lethe.event_epochs k where k.id = $2) as knows,
    coalesce((select json_agg(json_build_object('id', w.id, 'pid', w.pid, 'application', w.application,
      'since', (extract(epoch from w.since) * 1000000)::bigint)) from writer w), '[]') as writers
  from newest left join epoch on true`,
)

/** The first node decides; the row lock keeps the mark of the previous epoch from moving after it was read. */
const BEGIN = sql(
  'events.begin_epoch',
  `with before as (
    update lethe.event_epochs set ended = true where number = $2 and not ended returning complete, complete_at
  ), old as (
    delete from lethe.event_epochs where number < $2 - 1000
  )
  insert into lethe.event_epochs (number, id, server, timeline, begins_after, complete, complete_at, reason, begun_at)
  select $3, left(replace(gen_random_uuid()::text, '-', ''), 8), ${SERVER}, $4, before.complete, before.complete,
    before.complete_at, $5, clock_timestamp()
  from before on conflict do nothing returning id`,
)

const FIRST = sql(
  'events.first_epoch',
  `insert into lethe.event_epochs (number, id, server, begins_after, complete, complete_at, reason, begun_at)
   select 1, left(replace(gen_random_uuid()::text, '-', ''), 8), ${SERVER}, 0, 0, to_timestamp(0), 'first', clock_timestamp()
   where not exists (select from lethe.event_epochs) on conflict do nothing returning id`,
)

/** A promoted server has the next time line. */
const TIMELINE = sql('events.timeline', 'select left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) as timeline')

/** How far an epoch had come when the next began: positions beyond are not in this log. */
const END = sql(
  'events.end_of_epoch',
  `select n.begins_after as last from lethe.event_epochs e join lethe.event_epochs n
     on n.number = (select min(x.number) from lethe.event_epochs x where x.number > e.number)
   where e.id = $1`,
)

/** Why an epoch began. `went_back`: nodes knew a later epoch, or a later mark, that this database does not have. */
export type EpochReason = 'first' | 'server_started' | 'promoted' | 'went_back'

/** A transaction that holds the mark back. Members that this role may not see are null. */
export interface OpenWriter {
  id: string
  pid: number | null
  application: string | null
  /** microseconds since 1970, by the clock of the database */
  since: number | null
}

export interface MarkRow {
  number: number
  id: string
  /** false: the epoch is of another run of the server, or of another server */
  same_server: boolean
  timeline: string | null
  reason: EpochReason
  begins_after: number
  complete: number
  complete_at: Timestamp
  newest: number
  read_at: Timestamp
  /** whether the epoch that the caller knows is one of this database */
  knows: boolean
  writers: OpenWriter[]
}

export interface Candidate {
  seq: number
  at: Timestamp
  writers: readonly string[]
}

export type MarkStore = ReturnType<typeof createMarkStore>

/** @param embedded the name of this process's run, where the database is embedded in it */
export function createMarkStore(db: Db, embedded: string | undefined) {
  const server = embedded ?? null
  return {
    /** @returns undefined when there is no epoch yet */
    async advance(known: { id: string; complete: number } | undefined, seen: Candidate | undefined) {
      const values = [
        known?.id ?? null,
        known?.complete ?? null,
        seen?.seq ?? null,
        seen?.at ?? null,
        seen?.writers ?? [],
      ]
      const [row] = await db.query<MarkRow | { number: null }>(ADVANCE, [server, ...values])
      return row === undefined || row.number === null ? undefined : row
    },
    /** @returns whether this call has begun it */
    async begin(after: number, number: number, timeline: string | undefined, reason: EpochReason): Promise<boolean> {
      return (await db.query(BEGIN, [server, after, number, timeline ?? null, reason])).length > 0
    },
    first: (): Promise<unknown> => db.query(FIRST, [server]),
    /** Undefined where the server does not say, as some hosted ones do not. */
    async timeline(): Promise<string | undefined> {
      try {
        return (await db.query<{ timeline: string }>(TIMELINE))[0]?.timeline
      } catch (error) {
        if (error instanceof StoreError) return undefined
        throw error
      }
    },
    /** The last position of an epoch that is over. @returns undefined for one that this database does not know */
    async endOf(id: string): Promise<number | undefined> {
      return (await db.query<{ last: number }>(END, [id]))[0]?.last
    },
  }
}
