import { setTimeout as sleep } from 'node:timers/promises'
import type { NamedApp } from './listen.ts'

export interface Drain {
  /** false as soon as the node is to stop */
  isReady(): Promise<boolean>
  /** Waits until load balancers have noticed, and answers requests as before meanwhile. */
  run(apps: readonly NamedApp[], ms: number): Promise<void>
}

/** Longer than any orchestrator waits before it kills a process. */
const MOST_MS = 600_000

/** No request fails when a node stops: first readiness turns red, then requests are served for a while, then it closes. */
export function createDrain(isReady: () => Promise<boolean>): Drain {
  let draining = false
  return {
    isReady: async () => !draining && (await isReady()),
    async run(apps, ms) {
      draining = true
      // Kept-alive connections are closed with their next answer, so that clients open their next one at another node.
      for (const { app } of apps)
        app.server.prependListener('request', (_req, res) => {
          res.shouldKeepAlive = false
        })
      await sleep(Math.min(ms, MOST_MS))
    },
  }
}
