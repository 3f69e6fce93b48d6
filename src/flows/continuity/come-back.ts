import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Redirect } from '../engine/step.ts'
import type { ContinuityCookie } from './cookie.ts'

/** Lets a browser that is sent elsewhere come back to its work. */
export interface ComeBack {
  /** The newest work of a name takes the place of the one before, or stands beside the last few. */
  note(req: FastifyRequest, reply: FastifyReply, work: Redirect['comeBack']): void
  /** The work that a browser may come back to, the newest first; a cookie that cannot be read is replaced. */
  find(req: FastifyRequest, reply: FastifyReply, name: string): string[]
}

/** Sign-ins begun in one browser, in tabs of their own or by Back. Each costs some 90 bytes of the cookie. */
const MOST_BESIDE = 5

export const createComeBack = (cookie: ContinuityCookie): ComeBack => ({
  note(req, reply, work) {
    if (!work) return
    const { name, id, beside } = work
    const ids = cookie.read(req)
    const before = beside ? workOf(ids, name).filter((one) => one !== id) : []
    const numbered = [id, ...before].slice(0, MOST_BESIDE).map((one, at) => [memberOf(name, at), one])
    cookie.write(reply, { ...ids, ...Object.fromEntries(numbered) })
  },
  find(req, reply, name) {
    const ids = cookie.read(req)
    if (Object.keys(ids).length === 0 && cookie.isSent(req)) cookie.write(reply, {})
    return workOf(ids, name)
  },
})

/** Kratos knows the newest alone, and leaves the others where they are. */
const memberOf = (name: string, at: number) => (at === 0 ? name : `${name}.${at + 1}`)

const workOf = (ids: Record<string, string>, name: string): string[] =>
  Array.from({ length: MOST_BESIDE }, (_, at) => ids[memberOf(name, at)]).filter((id) => id !== undefined)
