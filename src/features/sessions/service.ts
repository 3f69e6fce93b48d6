import type { Queryable } from '../../db/client.ts'
import type { Identity } from '../identities/types.ts'
import type { Credentials, DeviceFacts, EndCause, Resolved, Session } from './types.ts'

/** Sessions: the one place that decides who a request belongs to, and the only one that begins or ends a session. */
export interface SessionService {
  /** The session that counts for a request, or undefined. Precedence: X-Session-Token, cookie, Bearer. */
  resolve(credentials: Credentials): Promise<Resolved | undefined>
  /** Begins a session. With `tx`, as part of the caller's transaction. */
  issue(
    input: { identity: Identity; method: string; device: DeviceFacts },
    tx?: Queryable,
  ): Promise<{ session: Session; token: string }>
  /** Extends a session by a proof given anew; undefined when it ended meanwhile, and then nothing is written. */
  refresh(session: Session, method: string): Promise<Session | undefined>
  /** Ends one session. Idempotent. @returns whether this call ended it */
  revoke(session: Session, cause: EndCause): Promise<boolean>
  /** Ends all sessions of an identity but `except`. @returns the ids that this call ended */
  revokeAllOf(identityId: string, cause: EndCause, options?: { except?: string; tx?: Queryable }): Promise<string[]>
  /** Whether the session needs a second factor that its identity has, under `session.whoami.required_aal`. */
  lacksSecondFactor(session: Session): boolean
  /** The session as clients see it (member order as Kratos). */
  answer(session: Session): Record<string, unknown>
}
