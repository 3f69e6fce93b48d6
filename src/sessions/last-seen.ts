import { type BackgroundWork, createLoop } from '../kernel/background/loop.ts'
import { type Clock, formatTime, type Micros, SECOND } from '../kernel/base/clock.ts'
import { type Db, sql } from '../kernel/db/client.ts'

/** Rows are locked in one order, so that two nodes that note the same sessions never deadlock. */
const NOTE = sql(
  'session.note_seen',
  `insert into lethe.last_seen (session_id, seen_at)
  select session_id, seen_at from unnest($1::uuid[], $2::timestamp[]) as seen (session_id, seen_at) order by session_id
  on conflict (session_id) do update set seen_at = excluded.seen_at where lethe.last_seen.seen_at < excluded.seen_at`,
)

/** How exact "last seen" is: a session is noted again after this long. */
const EVERY: Micros = 60 * SECOND
const FLUSH_MS = 5000
/** Sessions remembered at once, about 100 bytes each. More than these are noted more often than needed, nothing worse. */
const MOST_REMEMBERED = 100_000
const MOST_PER_STATEMENT = 500

export interface LastSeen extends BackgroundWork {
  /** Notes that a session was used. Never waits and never fails. */
  note(sessionId: string): void
  flush(): Promise<void>
}

/** When sessions were last used, without a write for each request: noted in memory, written in batches now and then. */
export function createLastSeen(d: {
  db: Db
  clock: Clock
  log: { warn(details: object, message: string): void }
}): LastSeen {
  const written = new Map<string, Micros>()
  let pending = new Map<string, Micros>()

  async function flush(): Promise<void> {
    const due = [...pending]
    pending = new Map()
    for (let at = 0; at < due.length; at += MOST_PER_STATEMENT) {
      const part = due.slice(at, at + MOST_PER_STATEMENT)
      await d.db.query(NOTE, [part.map(([id]) => id), part.map(([, time]) => formatTime(time))])
    }
  }

  const loop = createLoop({ name: 'writing of last-seen times', run: flush, pauseMs: FLUSH_MS, log: d.log })

  return {
    note(sessionId) {
      const now = d.clock.now()
      if (now - (written.get(sessionId) ?? 0) < EVERY) return
      if (written.size >= MOST_REMEMBERED) written.clear()
      written.set(sessionId, now)
      pending.set(sessionId, now)
    },
    flush,
    start: loop.start,
    async stop() {
      await loop.stop()
      await flush().catch((err) => d.log.warn({ err }, 'the last last-seen times were not written'))
    },
  }
}
