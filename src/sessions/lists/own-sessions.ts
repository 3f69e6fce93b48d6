import type { Identity } from '../../identities/types.ts'
import { type Clock, formatTime } from '../../kernel/base/clock.ts'
import { HttpError, unauthorized } from '../../kernel/http/errors.ts'
import type { SessionService } from '../service.ts'
import type { SessionSelection } from '../store.ts'
import type { Session } from '../types.ts'
import { ownListAnswer } from './answer.ts'
import type { SessionListStore } from './store.ts'

export interface OwnSessionsDeps {
  clock: Clock
  sessions: Pick<SessionService, 'revokeBy'>
  list: Pick<SessionListStore, 'listOf'>
  identityAnswer(identity: Identity): Record<string, unknown>
}

export interface SessionPage {
  total: number
  /** rows on a page: as many as requested, or as fit */
  size: number
  sessions: Record<string, unknown>[]
}

/** The other sessions of the caller's identity. */
export interface OwnSessions {
  /** Those that are live. */
  others(current: Session, page: { size: number; offset: number }): Promise<SessionPage>
  /** Ends another one; an unknown or foreign one is silently ignored. @throws 400, 401 */
  revokeOther(current: Session, id: string): Promise<void>
  /** Ends all others. @returns how many this call ended @throws 401 when the current one has ended meanwhile */
  revokeOthers(current: Session): Promise<number>
}

export function createOwnSessions(d: OwnSessionsDeps): OwnSessions {
  async function revoke(current: Session, which: SessionSelection): Promise<string[]> {
    const by = { session: current.id, disabledToo: false }
    const ended = await d.sessions.revokeBy(by, current.identity_id, 'revoked_by_user', which)
    if (!ended) throw noSession()
    return ended
  }

  return {
    async others(current, { size, offset }) {
      const now = d.clock.now()
      const query = { filter: 'active', now: formatTime(now), except: current.id, limit: size, offset } as const
      const { total, size: fitting, sessions } = await d.list.listOf(current.identity_id, query)
      return {
        total,
        size: fitting,
        sessions: sessions.map((session) => ownListAnswer(session, now, d.identityAnswer)),
      }
    },
    async revokeOther(current, id) {
      if (id === current.id) throw new HttpError(400, 'cannot revoke current session')
      await revoke(current, { only: [id] })
    },
    async revokeOthers(current) {
      return (await revoke(current, { except: current.id })).length
    },
  }
}

/** The caller has no session, or it has ended. */
export const noSession = () => unauthorized('No valid session cookie found.')
