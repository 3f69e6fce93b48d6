import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { answerWithin, type NoAnswer } from '../deadline.ts'
import type { Pool } from './pool.ts'

const LOOK_MS = 1000

/**
 * Keeps a connection whose commit got no answer in time, until it does. Closing it would not end the commit: the
 * server goes on waiting for its standby, and each retry would add one more backend that waits there. So the
 * connection is kept, and with it the slot for writes, for as long as the server says that it is still working.
 *
 * @returns true when the answer has come and the connection can be used again; false when the server is gone
 */
export async function waitForCommit(pool: Pool, client: pg.PoolClient, silence: NoAnswer): Promise<boolean> {
  const pid = (client as unknown as { processID: number }).processID
  for (;;) {
    if (!(await isAtIt(pool, pid).catch(() => false))) return false
    const pause = new AbortController()
    const answered = await Promise.race([
      silence.answer.then(
        () => true,
        () => true,
      ),
      sleep(LOOK_MS, false, { signal: pause.signal, ref: false }),
    ]).finally(() => pause.abort())
    if (answered) return true
  }
}

async function isAtIt(pool: Pool, pid: number): Promise<boolean> {
  const client = await pool.acquire()
  let failure: unknown
  try {
    const text = `select 1 from pg_stat_activity where pid = $1 and state = 'active'`
    const { rows } = await answerWithin(LOOK_MS, 'activity', client.query(text, [pid]))
    return rows.length > 0
  } catch (error) {
    failure = error
    throw error
  } finally {
    if (failure === undefined) pool.release(client)
    else pool.abandon(client, failure as Error)
  }
}
