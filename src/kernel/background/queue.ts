import { type Clock, formatTime, type Timestamp } from '../base/clock.ts'
import { uuid } from '../base/uuid.ts'
import type { Random } from '../crypto/tokens.ts'

/** A claim of a node: until it expires no other node takes the messages, and only its holder writes outcomes. */
export interface Lease {
  id: string
  now: Timestamp
  until: Timestamp
}

/**
 * One kind of message: its own table, how one is sent, and how its outcome is written. Messages of one key
 * (a receiver, a channel) wait for each other's slots, never for those of another key.
 */
export interface QueueKind<Key, Message> {
  idOf(key: Key): string
  /** most tries at once for one key; 0: none, its messages wait */
  concurrency(key: Key): number
  /** how long one try takes at most */
  tryMs(key: Key): number
  /** Claims due messages, the oldest first, until the lease ends. */
  claim(key: Key, lease: Lease, limit: number): Promise<Message[]>
  /** One try. @returns a function that writes its outcome: done, due again later, or given up */
  send(key: Key, message: Message, lease: Lease): Promise<() => Promise<unknown>>
}

export interface QueueDeps {
  clock: Clock
  random: Random
  /** most tries at once, of all keys together */
  maxTotal: number
  onError(error: unknown): void
}

export interface Queue<Key> {
  /** Sends the due messages of a key, as many at once as allowed. Returns at once. */
  wake(key: Key): void
  /** Claims nothing new; resolves when the running tries have ended. */
  stop(): Promise<void>
}

interface KeyState<Key> {
  key: Key
  busy: number
  claiming: boolean
  again: boolean
}

/** How long after its time limit a try counts as lost. A process that is suspended for longer sends twice, which is allowed. */
const GRACE_MS = 10_000
/** Between two tries to write an outcome, while the database is away. */
const WRITE_PAUSE_MS = 500

/** Messages in a table, each sent by the node that claims it first. A slow key holds up no other. */
export function createQueue<Key, Message>(kind: QueueKind<Key, Message>, d: QueueDeps): Queue<Key> {
  const byKey = new Map<string, KeyState<Key>>()
  const underWay = new Set<Promise<void>>()
  let total = 0
  let stopped = false

  function wake(key: Key): void {
    const id = kind.idOf(key)
    const state = byKey.get(id) ?? { key, busy: 0, claiming: false, again: false }
    byKey.set(id, state)
    // tries from now on use the present settings of the key
    state.key = key
    if (stopped || kind.concurrency(key) <= 0) return
    const free = Math.min(kind.concurrency(key) - state.busy, d.maxTotal - total)
    if (state.claiming || free <= 0) {
      state.again = true
      return
    }
    state.claiming = true
    state.again = false
    // among keys that wait for a slot, the one that claimed last comes last
    byKey.delete(id)
    byKey.set(id, state)
    // the slots are taken before the answer comes, so that two claims never fill the same ones
    total += free
    track(
      claim(key, free)
        .then(
          ({ lease, messages }) => {
            if (messages.length === free) state.again = true
            for (const message of messages) {
              state.busy += 1
              track(one(key, message, lease).finally(() => done(state)))
            }
            release(free - messages.length)
          },
          (error) => {
            release(free)
            d.onError(error)
          },
        )
        .finally(() => {
          state.claiming = false
          if (state.again) wake(state.key)
        }),
    )
  }

  /** The next message of the key may have waited for this one. */
  function done(state: KeyState<Key>): void {
    state.busy -= 1
    release(1)
    wake(state.key)
  }

  function release(slots: number): void {
    const full = total >= d.maxTotal
    total -= slots
    if (full) for (const state of [...byKey.values()]) if (state.again && !state.claiming) wake(state.key)
  }

  function track(work: Promise<void>): void {
    const kept = work.catch(d.onError).finally(() => underWay.delete(kept))
    underWay.add(kept)
  }

  async function claim(key: Key, limit: number) {
    const now = d.clock.now()
    const until = formatTime(now + (kind.tryMs(key) + GRACE_MS) * 1000)
    const lease = { id: uuid(d.random), now: formatTime(now), until }
    return { lease, messages: await kind.claim(key, lease, limit) }
  }

  async function one(key: Key, message: Message, lease: Lease): Promise<void> {
    await written(await kind.send(key, message, lease))
  }

  /** Tries for as long as the lease holds; then another node may claim the message, and it is sent again. */
  async function written(write: () => Promise<unknown>): Promise<void> {
    for (let left = GRACE_MS; ; left -= WRITE_PAUSE_MS) {
      try {
        await write()
        return
      } catch (error) {
        if (stopped || left <= 0) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, WRITE_PAUSE_MS))
    }
  }

  return {
    wake,
    async stop() {
      stopped = true
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
