import { type Db, NotLocked, type Queryable, sql } from '../kernel/db/client.ts'
import type { Limiter } from '../kernel/db/limiter.ts'

const WAIT = sql('identity.wait', 'select id from identities where id = $1 and nid = $2 for no key update')
const WAIT_SESSION = sql('session.wait', 'select id from sessions where id = $1 and nid = $2 for no key update')

/** The rows of the work: it locks them itself, in this order, with `skip locked`. */
export interface Locked {
  identity: string
  session?: string | undefined
}

/** @param work throws NotLocked when it did not get its rows. It may be called twice. */
type Locking = <T>(rows: Locked, work: (on: Queryable) => Promise<T>) => Promise<T>

export interface IdentityLocks {
  /** The work is one transaction. */
  tx: Locking
  /** The work is one statement. */
  query: Locking
}

/**
 * For writes that depend on rows of an identity. The first try takes only free locks, so it never keeps a
 * connection waiting: one locked identity took the whole pool before. Work that did not get its rows runs again in the
 * limiter, after waiting for the rows; a row that is missing then does not exist.
 *
 * The order of locks is the same everywhere: a flow, the identity, its credentials, its sessions by id. A transaction that locks
 * more than one session of an identity holds the identity, so that no two of them wait for each other.
 *
 * @see docs/adr/0016-decide-and-write-together.md
 */
export function createIdentityLocks(db: Db, nid: string, limiter: Pick<Limiter, 'run'>): IdentityLocks {
  const waited: Locking = ({ identity, session }, work) =>
    limiter.run(`identity ${identity}`, () =>
      db.tx(async (tx) => {
        await tx.query(WAIT, [identity, nid])
        if (session !== undefined) await tx.query(WAIT_SESSION, [session, nid])
        return work(tx)
      }),
    )
  const orWaited =
    (first: <T>(work: (on: Queryable) => Promise<T>) => Promise<T>): Locking =>
    (rows, work) =>
      first(work).catch((error: unknown) => {
        if (!(error instanceof NotLocked)) throw error
        return waited(rows, work)
      })
  return { tx: orWaited((work) => db.tx(work)), query: orWaited((work) => work(db)) }
}
