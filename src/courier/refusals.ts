import { type Clock, type Micros, SECOND } from '../kernel/base/clock.ts'
import { keyedName } from '../kernel/crypto/keyed-name.ts'
import { type Counter, spelled } from './limit.ts'
import type { Message } from './types.ts'

export interface RefusalsDeps {
  clock: Clock
  counter: Counter & {
    /** the time that has to leave the window; undefined below the limit */
    reached(counts: readonly { key: string; allowed: number }[], since: Micros): Promise<Micros | undefined>
  }
  /** shared by all nodes */
  serverSecret: Uint8Array
}

type Recipient = Pick<Message, 'channel' | 'recipient'>

/** Recipients that mail servers have refused for good, on all nodes. */
export interface Refusals {
  /** Whether another message would only cost the sender its reputation. */
  knows(to: Recipient): Promise<boolean>
  add(to: Recipient): Promise<void>
}

const WINDOW = 3600 * SECOND
const ALLOWED = 2

/** A script may ask for messages to thousands of addresses that do not exist; mail servers block who keeps on trying them. */
export function createRefusals(d: RefusalsDeps): Refusals {
  const counts = (to: Recipient) => [{ key: keyedName(d.serverSecret, 'refused', ...spelled(to)), allowed: ALLOWED }]
  return {
    knows: async (to) => (await d.counter.reached(counts(to), d.clock.now() - WINDOW)) !== undefined,
    async add(to) {
      const now = d.clock.now()
      await d.counter.add(counts(to), { now, since: now - WINDOW, until: now + WINDOW, keep: ALLOWED }, undefined)
    },
  }
}
