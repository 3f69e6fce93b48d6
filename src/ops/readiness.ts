import type { Db } from '../kernel/db/client.ts'
import { migrationStatus } from '../kernel/db/migrations/migrate.ts'

/** Probes come every second or so from several places: the database is asked once for all of them. */
const REMEMBER_MS = 500

/** Whether the database answers, takes writes and has no pending migration, as of at most half a second ago. */
export function createReadiness(db: Db): () => Promise<boolean> {
  let asked: { at: number; answer: Promise<boolean> } | undefined
  return () => {
    if (asked === undefined || performance.now() - asked.at > REMEMBER_MS) {
      asked = { at: performance.now(), answer: look(db) }
    }
    return asked.answer
  }
}

async function look(db: Db): Promise<boolean> {
  const status = await db
    .writable()
    .then(() => migrationStatus(db, { quick: true }))
    .catch(() => undefined)
  return status !== undefined && status.pending === 0 && status.problem === undefined
}
