import type { Db, Sql } from './client.ts'

/** The server ends a transaction that is silent for twice `statement_timeout`, 20 s unless configured. */
const SIGN_OF_LIFE_MS = 1000

/**
 * Runs `work` on one node at a time. The lock lasts as long as its transaction, so a node that dies gives it back; the work is
 * done outside. It may take minutes: the lock is asked for again meanwhile, as a silent transaction is ended by the server, which
 * looks like a database that is away, and lets a second node begin.
 * @param lock `select pg_try_advisory_xact_lock(…) as mine`
 * @returns undefined: another node has the lock
 */
export function onOneNode<T>(db: Db, lock: Sql, work: () => Promise<T>): Promise<T | undefined> {
  return db.tx(async (tx) => {
    const ask = () => tx.query<{ mine: boolean }>(lock)
    if (!(await ask())[0]?.mine) return undefined
    // a failure fails the transaction, and so the round
    const timer = setInterval(() => void ask().catch(() => {}), SIGN_OF_LIFE_MS).unref()
    try {
      return await work()
    } finally {
      clearInterval(timer)
    }
  })
}
