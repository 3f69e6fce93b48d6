import { type Clock, type Micros, SECOND } from '../kernel/base/clock.ts'
import { keyedName } from '../kernel/crypto/keyed-name.ts'
import { type Counter, spelled } from './limit.ts'
import type { Message } from './types.ts'

export interface SuppressionListDeps {
  clock: Clock
  counter: Pick<Counter, 'add'> & {
    /** those of the counts that have reached what is allowed */
    reachedBy(counts: readonly { key: string; allowed: number }[], since: Micros): Promise<{ key: string }[]>
  }
  /** shared by all nodes */
  serverSecret: Uint8Array
}

type Recipient = Pick<Message, 'channel' | 'recipient'>

/** Recipients that mail servers have refused for good, on all nodes. */
export interface SuppressionList {
  /** @returns for each recipient whether another message would only cost the sender its reputation */
  has(all: readonly Recipient[]): Promise<boolean[]>
  add(to: Recipient): Promise<void>
}

const WINDOW = 3600 * SECOND
const ALLOWED = 2

/** A script may ask for messages to thousands of addresses that do not exist; mail servers block who keeps on trying them. */
export function createSuppressionList(d: SuppressionListDeps): SuppressionList {
  const count = (to: Recipient) => ({ key: keyedName(d.serverSecret, 'refused', ...spelled(to)), allowed: ALLOWED })
  return {
    async has(all) {
      const counts = all.map(count)
      const reached = await d.counter.reachedBy(counts, d.clock.now() - WINDOW)
      const keys = new Set(reached.map(({ key }) => key))
      return counts.map(({ key }) => keys.has(key))
    },
    async add(to) {
      const now = d.clock.now()
      await d.counter.add([count(to)], { now, since: now - WINDOW, until: now + WINDOW, keep: ALLOWED }, undefined)
    },
  }
}
