import { type Clock, formatTime, type Micros, SECOND } from '../kernel/base/clock.ts'
import type { SessionRules } from '../sessions/rules.ts'
import type { OnEnded } from '../sessions/types.ts'
import type { EventPosition, ExpiringTable, GcStore } from './store.ts'

export type { ExpiringTable } from './store.ts'
export type Gc = ReturnType<typeof createGc>

export interface Sweep {
  /** rows that expired then or before are deleted */
  until: Micros
  /** rows in one statement */
  limit: number
}

const EPOCH: Micros = 0
const BEFORE_ALL: EventPosition = { createdAt: formatTime(EPOCH), seq: 0 }
/** Most events are ends, which hold no data of a device. */
const FORGOTTEN_TOGETHER = 5000
const FIRST_ID = '00000000-0000-0000-0000-000000000000'
/** Rows that were locked in one round are looked for again this long; after that only by a round over the whole table. */
const LOOK_BACK: Micros = 3600 * SECOND
/** An exchange of codes for a session token has no expiry of its own; a younger one may still be redeemed. */
const EXCHANGE_LIFE: Micros = 3600 * SECOND

/**
 * Ends expired sessions and deletes rows that are past their retention. Each function works in batches until nothing is left
 * and returns how many rows it handled. Safe to run on any number of nodes at once.
 */
export interface GcDeps {
  store: GcStore
  clock: Clock
  onEnded?: OnEnded
  rules?: Pick<SessionRules, 'shortest'>
}

export function createGc({ store, clock, onEnded, rules }: GcDeps) {
  let seen: Micros = EPOCH
  let seq = 0
  let log: string | null = null
  let forgotten = BEFORE_ALL

  /** A restored database holds rows again that were handled before, and gives out their event numbers anew. */
  async function forgetAnotherLog(): Promise<void> {
    const { epoch, newest } = await store.log()
    if (epoch !== log || newest < seq) {
      seen = EPOCH
      seq = 0
      forgotten = BEFORE_ALL
    }
    log = epoch
  }

  return {
    /** Ends every expired session and appends its event. Must come before any deletion. */
    async endExpiredSessions(limit: number): Promise<number> {
      await forgetAnotherLog()
      const now = clock.now()
      let total = 0
      let since = formatTime(Math.max(EPOCH, seen - LOOK_BACK))
      for (;;) {
        const { count, last } = await store.endExpiredSessions(formatTime(now), since, limit)
        onEnded?.('expired', count)
        total += count
        if (count < limit || last === undefined) break
        since = last
      }
      seen = now
      return total
    },

    /** Ends the sessions that a rule has ended. Before the expired ones: the event names the earlier cause. */
    async endSessionsByRule(limit: number): Promise<number> {
      const { idle, absolute } = rules?.shortest() ?? {}
      if (idle === undefined && absolute === undefined) return 0
      const now = clock.now()
      const ago = (time: Micros | undefined) => (time === undefined ? undefined : formatTime(now - time))
      const before = { idle: ago(idle), absolute: ago(absolute) }
      let after = FIRST_ID
      for (let total = 0; ; ) {
        const ended = await store.endByRule(formatTime(now), before, after, limit)
        onEnded?.('idle', ended.idle)
        onEnded?.('absolute', ended.absolute)
        total += ended.idle + ended.absolute
        if (ended.idle + ended.absolute < limit || ended.last === undefined) return total
        after = ended.last
      }
    },

    async deleteExpiredSessions({ until, limit }: Sweep): Promise<number> {
      let since = formatTime(EPOCH)
      for (let total = 0; ; ) {
        const { count, last } = await store.deleteExpiredSessions(formatTime(until), since, limit)
        total += count
        if (count < limit || last === undefined) return total
        since = last
      }
    },

    /** Sessions that were ended before they expired. */
    async deleteEndedSessions({ until, limit }: Sweep): Promise<number> {
      await forgetAnotherLog()
      let total = 0
      for (;;) {
        const { count, last } = await store.deleteEndedSessions(formatTime(until), seq, limit)
        total += count
        if (last === undefined) return total
        seq = last
      }
    },

    deleteOld(table: ExpiringTable, { until, limit }: Sweep): Promise<number> {
      const limited = table === 'session_token_exchanges' ? Math.min(until, clock.now() - EXCHANGE_LIFE) : until
      return untilShort(limit, () => store.deleteOld(table, formatTime(limited), limit))
    },

    deleteOldMessages({ until, limit }: Sweep): Promise<number> {
      return untilShort(limit, () => store.deleteOldMessages(formatTime(until), limit))
    },

    /** Takes address, user agent and place out of old events. Each event is looked at once by a process. */
    async forgetOldDevices(until: Micros): Promise<number> {
      await forgetAnotherLog()
      for (let total = 0; ; ) {
        const { count, seen, next } = await store.forgetOldDevices(formatTime(until), forgotten, FORGOTTEN_TOGETHER)
        total += count
        forgotten = next ?? forgotten
        if (seen < FORGOTTEN_TOGETHER) return total
      }
    },

    deleteOrphans({ until, limit }: Sweep): Promise<number> {
      return untilShort(limit, () => store.deleteOrphans(formatTime(until), limit))
    },

    existingTables: () => store.existingTables(),
  }
}

async function untilShort(limit: number, batch: () => Promise<number>): Promise<number> {
  for (let total = 0; ; ) {
    const count = await batch()
    total += count
    if (count < limit) return total
  }
}
