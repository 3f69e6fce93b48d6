import type { Identity } from '../../identities/types.ts'
import { type Clock, formatTime } from '../../kernel/base/clock.ts'
import { HttpError } from '../../kernel/http/errors.ts'
import type { SessionService } from '../service.ts'
import type { Session } from '../types.ts'
import { ownListAnswer } from './answer.ts'
import type { SessionListStore } from './store.ts'

export interface OwnSessionsDeps {
  clock: Clock
  sessions: Pick<SessionService, 'revokeAllOf'>
  list: Pick<SessionListStore, 'listOf'>
  identityAnswer(identity: Identity): Record<string, unknown>
}

export interface SessionPage {
  total: number
  /** rows on a page: as asked for, or as many as fit */
  size: number
  sessions: Record<string, unknown>[]
}

/** What someone can see and do about the other sessions of the same identity. */
export interface OwnSessions {
  /** The other ones that still let someone in. */
  others(current: Session, page: { size: number; offset: number }): Promise<SessionPage>
  /** Ends another one; one that is unknown or of someone else is left alone without a word. @throws HttpError 400 */
  revokeOther(current: Session, id: string): Promise<void>
  /** Ends all others. @returns how many this call ended */
  revokeOthers(current: Session): Promise<number>
}

export function createOwnSessions(d: OwnSessionsDeps): OwnSessions {
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
      await d.sessions.revokeAllOf(current.identity_id, 'revoked_by_user', { only: [id] })
    },
    async revokeOthers(current) {
      return (await d.sessions.revokeAllOf(current.identity_id, 'revoked_by_user', { except: current.id })).length
    },
  }
}
