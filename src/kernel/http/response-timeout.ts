import type { FastifyInstance, FastifyReply } from 'fastify'
import { runningMs } from '../base/running-clock.ts'
import { unavailable } from './errors.ts'

const LOOKS_PER_LIMIT = 10

/**
 * Answers 503 for a request that has no answer after `limitMs`; what it began runs to its end. Fastify's own
 * `handlerTimeout` stops its clock once the body has been read, and with its timer and signal took 15 % of the CPU of a
 * logout. Here one timer serves all requests, so an answer comes up to a tenth of the limit late.
 * @param limitMs 0: never
 */
export function installResponseTimeout(app: FastifyInstance, limitMs: number): void {
  if (limitMs === 0) return
  /** when each answer is due, soonest first, as all have the same limit */
  const due = new Map<FastifyReply, number>()

  app.addHook('onRequest', (_req, reply, done) => {
    due.set(reply, runningMs() + limitMs)
    done()
  })
  app.whenDone((_req, reply) => due.delete(reply))

  const timer = setInterval(() => {
    const now = runningMs()
    for (const [reply, time] of due) {
      if (time > now) return
      due.delete(reply)
      giveUp(reply)
    }
  }, limitMs / LOOKS_PER_LIMIT)
  timer.unref()
  app.addHook('onClose', async () => clearInterval(timer))
}

function giveUp(reply: FastifyReply): void {
  // A hijacked stream ends by itself.
  if (reply.sent) return
  // A half-sent answer cannot be taken back; a closed connection shows at least that it is incomplete.
  if (reply.raw.headersSent) reply.raw.destroy()
  else reply.send(unavailable('The answer took too long.'))
}
