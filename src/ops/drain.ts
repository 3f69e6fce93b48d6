import { setTimeout as sleep } from 'node:timers/promises'
import type { NamedApp } from './listen.ts'

export interface Drain {
  /** red from the moment on that the node is to stop */
  isReady(): Promise<boolean>
  /** Waits until whoever watches the node has noticed, while requests are answered as before. */
  run(apps: readonly NamedApp[], ms: number): Promise<void>
}

/** Longer than any orchestrator waits before it kills. */
const MOST_MS = 600_000

/** A node leaves without failing anybody: first it says that it goes, then it goes on for a while, then it closes. */
export function createDrain(isReady: () => Promise<boolean>): Drain {
  let draining = false
  return {
    isReady: async () => !draining && (await isReady()),
    async run(apps, ms) {
      draining = true
      // Connections that are kept end with their next answer, so that their clients open the next at another node.
      for (const { app } of apps)
        app.server.prependListener('request', (_req, res) => {
          res.shouldKeepAlive = false
        })
      await sleep(Math.min(ms, MOST_MS))
    },
  }
}
