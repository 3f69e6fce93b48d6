import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Redirect } from '../engine/step.ts'
import type { ContinuityCookie } from './cookie.ts'

/** Lets a browser that was sent elsewhere return to its work. */
export interface ComeBack {
  /** Work of the same name replaces the one before. */
  note(req: FastifyRequest, reply: FastifyReply, work: Redirect['comeBack']): void
  /** The work that a browser returns to; an unreadable cookie is replaced. */
  find(req: FastifyRequest, reply: FastifyReply, name: string): string | undefined
}

export const createComeBack = (cookie: ContinuityCookie): ComeBack => ({
  note(req, reply, work) {
    if (work) cookie.write(reply, { ...cookie.read(req), [work.name]: work.id })
  },
  find(req, reply, name) {
    const ids = cookie.read(req)
    if (Object.keys(ids).length === 0 && cookie.isSent(req)) cookie.write(reply, {})
    return ids[name]
  },
})
