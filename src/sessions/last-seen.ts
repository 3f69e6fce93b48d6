import { type BackgroundWork, createLoop } from '../kernel/background/loop.ts'
import { type Clock, formatTime, type Micros, parseTime, type Timestamp } from '../kernel/base/clock.ts'
import { type Db, sql } from '../kernel/db/client.ts'
import { idleAfterNote, noting, type SessionRules } from './rules.ts'
import type { SessionRow } from './types.ts'

/**
 * Rows are locked in one order, so that two nodes that note the same sessions never deadlock. A session that had been idle
 * for too long by the time of the note stays ended: other nodes refuse it already. `dead` is its last note in that case, null
 * where the note comes before the end that was read with the session: then nothing is looked up.
 */
const NOTE = sql(
  'session.note_seen',
  `insert into lethe.last_seen (session_id, seen_at)
  select used.session_id, used.seen_at
  from unnest(:ids::uuid[], :times::timestamp[], :deads::timestamp[]) as used (session_id, seen_at, dead)
  where used.dead is null or greatest((select l.seen_at from lethe.last_seen l where l.session_id = used.session_id),
    (select s.authenticated_at from sessions s where s.id = used.session_id)) > used.dead
  order by used.session_id
  on conflict (session_id) do update set seen_at = excluded.seen_at where lethe.last_seen.seen_at < excluded.seen_at`,
)

/** Sessions remembered at once, about 100 bytes each. Beyond, a use is noted more often than needed. */
const MOST_REMEMBERED = 100_000
const MOST_PER_STATEMENT = 500

interface Use {
  time: Micros
  /** after which the session ends */
  idle: Micros | undefined
  /** when it would have ended without this use */
  until: Timestamp
}

export interface LastSeen extends BackgroundWork {
  /** Notes a use of a session. Never waits and never fails. */
  note(session: Pick<SessionRow, 'id' | 'schema_id' | 'expires_at'>): void
  flush(): Promise<void>
}

/** When sessions were last used, without a write for each request: noted in memory and written in batches. */
export function createLastSeen(d: {
  db: Db
  clock: Clock
  rules: Pick<SessionRules, 'of' | 'shortest'>
  log: { warn(details: object, message: string): void }
}): LastSeen {
  const written = new Map<string, Micros>()
  const pending = new Map<string, Use>()

  async function flush(): Promise<void> {
    const due = [...pending]
    for (let at = 0; at < due.length; at += MOST_PER_STATEMENT) {
      const part = due.slice(at, at + MOST_PER_STATEMENT)
      const now = d.clock.now()
      const dead = ({ idle, until }: Use) =>
        idle === undefined || parseTime(until) > now ? null : formatTime(now - idleAfterNote(idle))
      await d.db.query(NOTE, {
        ids: part.map(([id]) => id),
        times: part.map(([, { time }]) => formatTime(time)),
        deads: part.map(([, use]) => dead(use)),
      })
      // Forgotten only after the write: while the database is away, no use that keeps a session alive may be lost.
      for (const [id, use] of part) if (pending.get(id) === use) pending.delete(id)
    }
  }

  const pauseMs = () => Math.max(10, noting(d.rules.shortest()).flush / 1000)
  const loop = createLoop({ name: 'writing of last-seen times', run: flush, pauseMs, log: d.log })

  return {
    note({ id, schema_id, expires_at }) {
      const time = d.clock.now()
      const rule = d.rules.of(schema_id)
      if (time - (written.get(id) ?? 0) < noting(rule).every) return
      if (written.size >= MOST_REMEMBERED) written.clear()
      if (pending.size >= MOST_REMEMBERED) pending.clear()
      written.set(id, time)
      pending.set(id, { time, idle: rule.idle, until: expires_at })
    },
    flush,
    start: loop.start,
    async stop() {
      await loop.stop()
      await flush().catch((err) => d.log.warn({ err }, 'the last last-seen times were not written'))
    },
  }
}
