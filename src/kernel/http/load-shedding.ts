import type { FastifyInstance } from 'fastify'
import { createRunningClock } from '../base/running-clock.ts'
import { unavailable } from './errors.ts'

/** What tells operators that the process lives, and why it refuses. Readiness is not among them: red moves load away. */
const EXEMPT = new Set(['/health/alive', '/metrics/prometheus'])
const RETRY_AFTER_SECONDS = 5
const LOOKS_PER_LIMIT = 8
const LOOKS_MS = { min: 2, max: 250 }

/**
 * Answers 503 at once while the process is so busy that what arrives waits longer than `maxDelayMs` for its turn. Those
 * who got in are then answered in time, where otherwise all would wait until their clients have given up. What counts is
 * work: a machine that was suspended, or that others keep busy, refuses nobody.
 * @param maxDelayMs 0: never
 */
export function installLoadShedding(app: FastifyInstance, maxDelayMs: number): void {
  if (maxDelayMs === 0) return
  const everyMs = Math.min(LOOKS_MS.max, Math.max(LOOKS_MS.min, maxDelayMs / LOOKS_PER_LIMIT))
  const clock = createRunningClock(everyMs)
  app.addHook('onRequest', async (req) => {
    if (clock.stall() <= maxDelayMs || EXEMPT.has(req.routeOptions.url ?? '')) return
    throw unavailable('The server is overloaded.', undefined, RETRY_AFTER_SECONDS)
  })
  app.addHook('onClose', async () => clock.stop())
}
