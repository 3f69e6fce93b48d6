import type { FastifyReply, FastifyRequest } from 'fastify'
import { aal2Required, freshProofRequired, type HttpError } from '../../kernel/http/errors.ts'
import { queryValue } from '../../kernel/http/query.ts'
import type { SessionService } from '../service.ts'
import type { Resolved, Session, SessionRow } from '../types.ts'
import type { SessionCredentials } from './credentials.ts'

export interface RequireSessionDeps {
  sessions: Pick<SessionService, 'resolve' | 'lacksSecondFactor' | 'lacksFreshProof'>
  credentials: SessionCredentials
  /** where a browser goes to prove its second factor */
  secondFactorUrl(returnTo: string): string
  /** where it signs in again */
  freshProofUrl(returnTo: string): string
}

type Handler = (req: FastifyRequest, reply: FastifyReply) => unknown

export interface Requirement {
  /** Answers, or throws for, a caller without a session. */
  otherwise: Handler
  /**
   * Whether a second factor is needed where `session.whoami.required_aal` asks for it, and a proof as
   * fresh as `lethe.sessions.require_fresh`:
   * - `any`: no
   * - `configured`: otherwise 403 `session_aal2_required` or `session_refresh_required`
   * - a URL to come back to: yes, and browsers are sent to where they prove it
   */
  aal: 'any' | 'configured' | (() => string)
}

export type RequireSession = (
  requirement: Requirement,
  handler: (req: FastifyRequest, reply: FastifyReply, caller: Resolved) => unknown,
) => (req: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Wraps the handler of a route for signed-in callers: it is called with the caller's session, or not at all. */
export function createRequireSession(d: RequireSessionDeps): RequireSession {
  return ({ otherwise, aal }, handler) =>
    async (req, reply) => {
      const caller = await d.sessions.resolve(d.credentials.read(req))
      if (!caller) return otherwise(req, reply)
      if (aal !== 'any') {
        const back = aal === 'configured' ? queryValue(req, 'return_to') : aal()
        const missing = missingProof(d, caller.session, back)
        if (missing && aal === 'configured') throw missing.error
        if (missing) return reply.redirect(missing.at, 303)
      }
      return handler(req, reply, caller)
    }
}

/** What the caller has to prove before the session counts, and where. */
export function missingProof(
  d: Pick<RequireSessionDeps, 'secondFactorUrl' | 'freshProofUrl'> & {
    sessions: Pick<SessionService, 'lacksSecondFactor' | 'lacksFreshProof'>
  },
  session: Session | SessionRow,
  returnTo: string,
): { at: string; error: HttpError } | undefined {
  if (d.sessions.lacksFreshProof(session)) {
    const at = d.freshProofUrl(returnTo)
    return { at, error: freshProofRequired(at) }
  }
  if (!d.sessions.lacksSecondFactor(session)) return undefined
  const at = d.secondFactorUrl(returnTo)
  return { at, error: aal2Required(at) }
}
