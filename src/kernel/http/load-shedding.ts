import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { unavailable } from './errors.ts'

/** What tells operators that the process lives, and why it refuses. Readiness is not among them: red moves load away. */
const EXEMPT = new Set(['/health/alive', '/metrics/prometheus'])
const RETRY_AFTER_SECONDS = 5
/** A single stall, such as a machine that was suspended, is not a flood: the delay is looked at over several of it. */
const SAMPLES = 3

/**
 * Answers 503 at once while the process is so busy that work waits longer than `maxDelayMs` for its turn. Those who got
 * in are then answered in time, where otherwise all would wait until their clients have given up.
 * @param maxDelayMs 0: never
 */
export function installLoadShedding(app: FastifyInstance, maxDelayMs: number): void {
  if (maxDelayMs === 0) return
  app.register(underPressure, {
    maxEventLoopDelay: maxDelayMs,
    sampleInterval: SAMPLES * maxDelayMs,
    pressureHandler: async (req, _reply, _type, delay) => {
      // Infinity: nothing was measured.
      if (delay === Number.POSITIVE_INFINITY || EXEMPT.has(req.routeOptions.url ?? '')) return
      throw unavailable('The server is overloaded.', undefined, RETRY_AFTER_SECONDS)
    },
  })
}
