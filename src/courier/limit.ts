import type { Config } from '../config/schema/schema.ts'
import { normaliseIdentifier, normalisePhone } from '../identities/normalise.ts'
import { type Clock, type Micros, SECOND } from '../kernel/base/clock.ts'
import { keyedName } from '../kernel/crypto/keyed-name.ts'
import type { Queryable } from '../kernel/db/client.ts'
import { tooManyMessages } from '../kernel/http/errors.ts'
import type { Message } from './types.ts'

/** Counts by key over a sliding window, on all nodes. */
export interface Counter {
  /** @returns for each key the times since, this one included, the oldest first; `keep` of them at most */
  add(
    counts: readonly { key: string; allowed: number }[],
    when: { now: Micros; since: Micros; until: Micros; keep: number },
    on: Queryable | undefined,
  ): Promise<{ key: string; times: Micros[] }[]>
  /** @returns the time of the first one since; `now` if this is it */
  first(key: string, when: { now: Micros; since: Micros; until: Micros }, on: Queryable): Promise<Micros>
}

export interface RecipientLimitDeps {
  config(): Config
  clock: Clock
  counter: Counter
  /** shared by all nodes */
  serverSecret: Uint8Array
  /** what is counted, apart from what others count */
  counted: 'messages' | 'notices'
}

/** Limits the recent messages to one recipient. */
export interface RecipientLimit {
  /**
   * Counts one more, in the transaction that stores it: one that is refused does not count.
   * @throws HttpError 429 for one beyond the limit
   */
  assertAllowed(message: Pick<Message, 'channel' | 'recipient'>, tx: Queryable | undefined): Promise<void>
}

/**
 * Any client may ask for messages to any address, again and again. Unknown addresses count alike, so that
 * the limit does not reveal accounts. It also bounds how many codes can be guessed at: each flow allows a few.
 */
export function createRecipientLimit(d: RecipientLimitDeps): RecipientLimit {
  return {
    async assertAllowed(message, tx) {
      const { per_recipient: allowed, window: windowMs } = d.config().lethe.limits.messages
      if (allowed === 0) return
      await countOne(d, [d.counted, ...spelled(message)], { allowed, window: Math.trunc(windowMs * 1000) }, tx)
    },
  }
}

/**
 * Counts one more under a name. Keyed, so that the table does not reveal the recipients.
 * @throws HttpError 429 for one beyond those that are allowed within the window
 */
export async function countOne(
  d: Pick<RecipientLimitDeps, 'clock' | 'counter' | 'serverSecret'>,
  name: [purpose: string, ...string[]],
  { allowed, window }: { allowed: number; window: Micros },
  tx: Queryable | undefined,
): Promise<void> {
  const now = d.clock.now()
  const when = { now, since: now - window, until: now + window, keep: allowed + 1 }
  const [row] = await d.counter.add([{ key: keyedName(d.serverSecret, ...name), allowed }], when, tx)
  const times = row?.times ?? []
  if (times.length > allowed) throw tooManyMessages(Math.max(1, Math.ceil((times[0]! + window - now) / SECOND)))
}

/** Normalised as accounts are looked up, so that another spelling has the same key. */
export function spelled({ channel, recipient }: Pick<Message, 'channel' | 'recipient'>): [string, string] {
  const known = channel === 'email' ? normaliseIdentifier(recipient) : normalisePhone(recipient)
  return [channel, known ?? recipient]
}
