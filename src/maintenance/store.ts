import type { Timestamp } from '../kernel/base/clock.ts'
import type { Db } from '../kernel/db/client.ts'
import { onOneNode } from '../kernel/db/one-node.ts'
import { END_BY_RULE, END_EXPIRED, END_REVIVED } from '../sessions/lifecycle-statements.ts'
import { NO_RULES, type RulesSql } from '../sessions/rules.ts'
import {
  DELETE_ENDED_SESSIONS,
  DELETE_EXPIRED_SESSIONS,
  DELETE_OLD,
  DELETE_OLD_MESSAGES,
  DELETE_ORPHANS,
  EXISTING_TABLES,
  type ExpiringTable,
  FORGET_OLD_DEVICES,
  LOG,
  TABLES,
  TRY_LOCK,
} from './sql.ts'

export type { ExpiringTable } from './sql.ts'
export type GcStore = ReturnType<typeof createGcStore>

/** Sessions that began or were authenticated later cannot have been ended by the rule; undefined where no schema has it. */
export interface BeforeRule {
  idle: Timestamp | undefined
  absolute: Timestamp | undefined
}

export interface EndedByRule {
  idle: number
  absolute: number
  /** the greatest id among them */
  last: string | undefined
}

/** In the order of time. */
export interface EventPosition {
  createdAt: Timestamp
  seq: number
}

interface DevicePage {
  count: number
  seen: number
  created_at: Timestamp | null
  seq: number | null
}

/** One batch of work. `last` is where the next batch goes on; undefined when nothing was found. */
export interface Batch<C> {
  count: number
  last: C | undefined
}

/**
 * Each call handles at most `limit` rows in one statement; call again until the count is below the limit.
 * @param shared whether another program writes the same tables, so that ends need a tombstone
 */
export function createGcStore(db: Db, nid: string, shared: boolean, rules: RulesSql = NO_RULES) {
  return {
    /**
     * Runs a round while no other node runs one. An embedded database has one process and one connection: no other node, and a
     * transaction would lock out the work. @returns undefined: another node runs one
     */
    alone: <T>(work: () => Promise<T>): Promise<T | undefined> =>
      db.backend === 'pglite' ? work() : onOneNode(db, TRY_LOCK, work),
    /** @throws StoreUnavailable */
    writable: () => db.writable(),
    /** The epoch of the event log and the highest number in it. A round may continue an earlier one only in the same epoch. */
    async log(): Promise<{ epoch: string | null; newest: number }> {
      return (await db.query<{ epoch: string | null; newest: number }>(LOG))[0]!
    },
    /** Ends sessions that expired at `now` or before, from `since` on, each with its event. */
    async endExpiredSessions(now: Timestamp, since: Timestamp, limit: number): Promise<Batch<Timestamp>> {
      return batch(await db.query(END_EXPIRED, { nid, now, since, limit, shared }))
    },
    /** Ends sessions that a rule has ended by `now`, those with an id after `after`; `before`: see SessionRules.shortest. */
    async endByRule(now: Timestamp, before: BeforeRule, after: string, limit: number): Promise<EndedByRule> {
      const rows = await db.query<{ cause: 'idle' | 'absolute'; count: number; last: string }>(END_BY_RULE, {
        nid,
        now,
        after,
        limit,
        shared,
        rules: rules.sql(),
        idle_before: before.idle ?? null,
        absolute_before: before.absolute ?? null,
      })
      const of = (cause: string) => rows.find((row) => row.cause === cause)?.count ?? 0
      return {
        idle: of('idle'),
        absolute: of('absolute'),
        last: rows
          .map(({ last }) => last)
          .sort()
          .at(-1),
      }
    },
    /** Ends again sessions that ended at `since` or later and that another program set active. @returns their ids */
    async endRevivedSessions(since: Timestamp, limit: number): Promise<string[]> {
      return (await db.query<{ id: string }>(END_REVIVED, { nid, since, limit })).map(({ id }) => id)
    },
    /** Deletes sessions that expired at `until` or before, from `since` on, and have ended. */
    async deleteExpiredSessions(until: Timestamp, since: Timestamp, limit: number): Promise<Batch<Timestamp>> {
      return batch(await db.query(DELETE_EXPIRED_SESSIONS, [nid, until, limit, since]))
    },
    /** Deletes sessions that were ended at `until` or before, whenever they would have expired. */
    async deleteEndedSessions(until: Timestamp, afterSeq: number, limit: number): Promise<Batch<number>> {
      return batch(await db.query(DELETE_ENDED_SESSIONS, [nid, until, limit, afterSeq]))
    },
    async deleteOld(table: ExpiringTable, until: Timestamp, limit: number): Promise<number> {
      return count(await db.query(DELETE_OLD[table], [nid, until, limit]))
    },
    async deleteOldMessages(until: Timestamp, limit: number): Promise<number> {
      return count(await db.query(DELETE_OLD_MESSAGES, { nid, until, limit }))
    },
    /** Of events before `until`, one page after a place. @returns the next place; undefined where nothing was found */
    async forgetOldDevices(until: Timestamp, after: EventPosition, limit: number) {
      const values = { until, after_time: after.createdAt, after: after.seq, limit }
      const [row] = await db.query<DevicePage>(FORGET_OLD_DEVICES, values)
      const { count, seen, created_at: createdAt, seq } = row!
      return { count, seen, next: createdAt === null ? undefined : { createdAt, seq: seq! } }
    },
    async deleteOrphans(until: Timestamp, limit: number): Promise<number> {
      let most = 0
      for (const statement of DELETE_ORPHANS) most = Math.max(most, count(await db.query(statement, [until, limit])))
      return most
    },
    /** Those of the tables that exist in this database, in their order. */
    async existingTables(): Promise<ExpiringTable[]> {
      const all = Object.keys(TABLES) as ExpiringTable[]
      const found = (await db.query<{ name: string }>(EXISTING_TABLES, [all])).map(({ name }) => name)
      return all.filter((table) => found.includes(table))
    },
  }
}

function count(rows: { count?: unknown }[]): number {
  return Number(rows[0]?.count ?? 0)
}

function batch<C>(rows: { count?: unknown; last?: unknown }[]): Batch<C> {
  return { count: count(rows), last: (rows[0]?.last ?? undefined) as C | undefined }
}
