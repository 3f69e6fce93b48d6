import { type Clock, formatTime, type Micros } from '../../kernel/base/clock.ts'
import type { SessionRules } from '../rules.ts'
import type { SessionService } from '../service.ts'
import type { Credentials, EndCause } from '../types.ts'
import type { EndedSession, EndedSessionStore } from './store-ended.ts'

export interface EndedSessionsDeps {
  clock: Clock
  sessions: Pick<SessionService, 'allEnded'>
  rules: Pick<SessionRules, 'of'>
  store: EndedSessionStore
}

export interface Ended {
  cause: EndCause
  /** how long the rule allows that ended it; undefined where none did, or it is not in force any more */
  allowed: Micros | undefined
}

/** Why sessions have ended, for the person whose they were. */
export interface EndedSessions {
  /** The last ones of an identity, newest first. */
  lastOf(identityId: string): Promise<EndedSession[]>
  /**
   * How the session ended that a browser still has the cookie of. Only who holds that cookie learns it; undefined while
   * another session of the browser is left, and once the row of the session is deleted.
   */
  endOf(credentials: Pick<Credentials, 'cookieTokens'>): Promise<Ended | undefined>
}

const SHOWN = 10

export function createEndedSessions({ clock, sessions, rules, store }: EndedSessionsDeps): EndedSessions {
  const now = () => formatTime(clock.now())
  return {
    lastOf: (identityId) => store.lastOf(identityId, SHOWN, now()),
    async endOf(credentials) {
      const ended = await sessions.allEnded(credentials)
      if (ended.length === 0) return undefined
      const last = await store.lastAmong(
        ended.map(({ id }) => id),
        now(),
      )
      const row = ended.find(({ id }) => id === last?.id)
      if (!last || !row) return undefined
      const { cause } = last
      const rule = rules.of(row.schema_id)
      return { cause, allowed: cause === 'idle' || cause === 'absolute' ? rule[cause] : undefined }
    },
  }
}
