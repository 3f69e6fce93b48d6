import type { FastifyReply, FastifyRequest } from 'fastify'
import { aal2Required } from '../../kernel/http/errors.ts'
import { queryValue } from '../../kernel/http/query.ts'
import type { SessionService } from '../service.ts'
import type { Resolved } from '../types.ts'
import type { SessionCredentials } from './credentials.ts'

export interface RequireSessionDeps {
  sessions: Pick<SessionService, 'resolve' | 'lacksSecondFactor'>
  credentials: SessionCredentials
  /** where a browser goes to prove its second factor */
  secondFactorUrl(returnTo: string): string
}

type Handler = (req: FastifyRequest, reply: FastifyReply) => unknown

export interface Requirement {
  /** Answers, or throws for, a caller who is not signed in. */
  otherwise: Handler
  /**
   * Whether a second factor must have been shown where `session.whoami.required_aal` asks for it:
   * - `any`: no
   * - `configured`: else 403 `session_aal2_required`
   * - a function: yes, and it answers in place of the 403
   */
  aal: 'any' | 'configured' | Handler
}

export type RequireSession = (
  requirement: Requirement,
  handler: (req: FastifyRequest, reply: FastifyReply, caller: Resolved) => unknown,
) => (req: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Wraps the handler of a route that is for signed-in callers: it is handed the caller's session, or is not run. */
export function createRequireSession(d: RequireSessionDeps): RequireSession {
  return ({ otherwise, aal }, handler) =>
    async (req, reply) => {
      const caller = await d.sessions.resolve(d.credentials.read(req))
      if (!caller) return otherwise(req, reply)
      if (aal !== 'any' && d.sessions.lacksSecondFactor(caller.session)) {
        if (aal === 'configured') throw aal2Required(d.secondFactorUrl(queryValue(req, 'return_to')))
        return aal(req, reply)
      }
      return handler(req, reply, caller)
    }
}
