import type { FastifyInstance } from 'fastify'
import { createRunningClock } from '../base/running-clock.ts'
import { unavailable } from './errors.ts'

/** What tells operators that the process is alive, and why it refuses. Not readiness: a red one moves load to other nodes. */
const EXEMPT = new Set(['/health/alive', '/metrics/prometheus'])
const RETRY_AFTER_SECONDS = 5
const LOOKS_PER_LIMIT = 8
const LOOKS_MS = { min: 2, max: 250 }

/**
 * Answers 503 at once while the process is so busy that a request waits longer than `maxDelayMs` for its turn. The admitted
 * requests are then answered in time, where otherwise all would wait until their clients have given up. Only
 * work counts: a process that was suspended, or that others kept from the processor, refuses no request.
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
