import type { Timestamp } from '../kernel/base/clock.ts'
import { stringifyJson } from '../kernel/base/exact-json.ts'
import { type Db, sql } from '../kernel/db/client.ts'

const INSERT = sql(
  'error.insert',
  `insert into selfservice_errors (id, errors, was_seen, created_at, updated_at, csrf_token, nid)
  values ($1, $2, false, $3, $3, $4, $5)`,
)

const READ = sql(
  'error.read',
  `update selfservice_errors set was_seen = true, seen_at = $3 where id = $1 and nid = $2
  returning id, errors, created_at, updated_at`,
)

export interface ErrorContainer {
  id: string
  errors: unknown
  created_at: Timestamp
  updated_at: Timestamp
}

export type ErrorStore = ReturnType<typeof createErrorStore>

export function createErrorStore(db: Db, nid: string) {
  return {
    async insert(row: { id: string; error: unknown; now: Timestamp; csrfToken: string }): Promise<void> {
      await db.query(INSERT, [row.id, stringifyJson(row.error), row.now, row.csrfToken, nid])
    },
    /** Reads an error and notes that it was seen. */
    async read(id: string, now: Timestamp): Promise<ErrorContainer | undefined> {
      return (await db.query<ErrorContainer>(READ, [id, nid, now]))[0]
    },
  }
}
