import type { IdentityLocks } from '../identities/store-locks.ts'
import { type Clock, formatTime } from '../kernel/base/clock.ts'
import { newSessionToken, type Random, storedToken, type TokenMode } from '../kernel/crypto/tokens.ts'
import { NotLocked, type Queryable } from '../kernel/db/client.ts'
import { isLive } from './lifecycle.ts'
import type { SessionStore } from './store.ts'
import type { Session } from './types.ts'

export interface HandOverDeps {
  clock: Clock
  random: Random
  store: Pick<SessionStore, 'byId' | 'lock' | 'replaceToken'>
  locks: Pick<IdentityLocks, 'tx'>
  tokens: TokenMode
  shared: boolean
}

/**
 * Makes a new token for a live session, for a client that has never had the first one. The first one is stored as a hash, and
 * is void from now on.
 *
 * @param use consumes what allows the hand-over, in the same transaction. @returns false: it is gone
 * @returns undefined where nothing was handed over
 */
export type HandOver = (
  sessionId: string,
  use: (tx: Queryable) => Promise<boolean>,
) => Promise<{ session: Session; token: string } | undefined>

export function createHandOver({ clock, random, store, locks, tokens, shared }: HandOverDeps): HandOver {
  return async (sessionId, use) => {
    const known = await store.byId(sessionId)
    if (!known) return undefined
    const work = async (tx: Queryable) => {
      const session = await store.lock(known.id, known.identity_id, tx)
      if (!isLive(session, session.identity.state, clock.now()) || !(await use(tx))) return undefined
      const token = newSessionToken(random)
      const hashed = storedToken(token, 'sha256')
      const stored = tokens === 'sha256' && !shared ? hashed : token
      const now = formatTime(clock.now())
      await store.replaceToken({ id: known.id, token: stored, hardened: shared ? hashed : stored, now }, tx)
      return { session, token }
    }
    return locks.tx({ identity: known.identity_id, session: known.id }, work).catch((error: unknown) => {
      // a deleted identity has no sessions
      if (error instanceof NotLocked) return undefined
      throw error
    })
  }
}
