import type { Config } from '../../config/schema/schema.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Session } from '../../sessions/types.ts'

export interface FactorChangeDeps {
  config(): Config
  sessions: Pick<SessionService, 'revokeAllOf'>
}

/**
 * Ends the sessions that `lethe.sessions` ends when a second factor or a key is set up or removed, in the same transaction.
 * @param session the caller's own
 */
export async function endSessionsOnFactorChange(d: FactorChangeDeps, session: Session, tx: Queryable): Promise<void> {
  const ending = d.config().lethe.sessions.end_on_factor_change
  if (ending === 'none') return
  const except = ending === 'all' ? {} : { except: session.id }
  await d.sessions.revokeAllOf(session.identity_id, 'credentials_changed', { ...except, tx })
}
