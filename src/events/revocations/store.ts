import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, sql } from '../../kernel/db/client.ts'
import type { EndCause } from '../../sessions/types.ts'

/** A reversed end is not listed, but clients that have it must learn of that. */
const COLUMNS = 'e.seq, e.type, e.cause, e.session_id, e.identity_id, e.created_at'
const RELEVANT = `(e.type = 'session.ended' and not e.resumed or e.type = 'session.resumed')`

/** Two ways into the log: by time for the complete list, by position for what is new. */
const ALL = sql(
  'events.revocations',
  `select ${COLUMNS} from lethe.events e
   where e.nid = $1 and e.created_at >= $2 and e.seq <= $3 and ${RELEVANT} order by e.seq limit $4`,
)
const SINCE = sql(
  'events.revocations_since',
  `select ${COLUMNS} from lethe.events e
   where e.nid = $1 and e.created_at >= $2 and e.seq <= $3 and e.seq > $5 and ${RELEVANT} order by e.seq limit $4`,
)

export interface RevocationRow {
  seq: number
  type: 'session.ended' | 'session.resumed'
  cause: EndCause | null
  session_id: string
  identity_id: string | null
  created_at: Timestamp
}

export type RevocationStore = ReturnType<typeof createRevocationStore>

export function createRevocationStore(db: Db, nid: string) {
  return {
    /** Ends since a time, and their reversals, in the order of the log. */
    read: (since: Timestamp, after: number, upTo: number, limit: number): Promise<RevocationRow[]> =>
      after === 0 ? db.query(ALL, [nid, since, upTo, limit]) : db.query(SINCE, [nid, since, upTo, limit, after]),
  }
}
