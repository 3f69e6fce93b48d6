import type { Config } from '../config/schema/schema.ts'
import { type BackgroundWork, createLoop } from '../kernel/background/loop.ts'
import type { Clock, Micros } from '../kernel/base/clock.ts'
import type { Gc } from './service.ts'
import type { GcStore } from './store.ts'

export interface CollectorDeps {
  config(): Config
  clock: Clock
  store: Pick<GcStore, 'alone' | 'writable'>
  gc: Gc
  /** false on a database that Kratos also uses: Kratos deletes its own rows, only ends of sessions get their events */
  deletes: boolean
  log: { warn(details: object, message: string): void; debug(details: object, message: string): void }
  /** rows of the event log that are past their retention */
  deleteOldEvents?: (limit: number) => Promise<number>
  /** the rest of erasures that were begun */
  erase?: (limit: number) => Promise<number>
  onCollected?: (kind: string, count: number) => void
}

export interface Collector extends BackgroundWork {
  /** One round; does nothing while another node runs one. @returns rows handled, by kind */
  round(): Promise<Record<string, number>>
}

/** The kinds that are kept as long as error pages; everything else of a flow goes with the flows. */
const ERRORS = 'selfservice_errors'

/** Ends what has expired and deletes what is past its retention, in small statements, while the server runs. */
export function createCollector(d: CollectorDeps): Collector {
  async function round(): Promise<Record<string, number>> {
    return (await d.store.alone(() => collect(d))) ?? {}
  }

  const loop = createLoop({
    name: 'garbage collection',
    async run() {
      if (d.config().lethe.gc.enabled) d.log.debug({ collected: await round() }, 'garbage collected')
    },
    pauseMs: () => d.config().lethe.gc.interval,
    log: d.log,
  })
  return { round, ...loop }
}

async function collect(d: CollectorDeps): Promise<Record<string, number>> {
  const {
    batch_size: limit,
    session_retention,
    flow_retention,
    error_retention,
    message_retention,
  } = d.config().lethe.gc
  const before = (retentionMs: number): Micros => d.clock.now() - Math.trunc(retentionMs * 1000)
  const counts: Record<string, number> = {}
  const failures: unknown[] = []
  /** One kind that fails, by a missing right or a table that is too slow to search, must not keep the others from their turn. */
  const count = async (kind: string, work: Promise<number>) => {
    try {
      counts[kind] = await work
      d.onCollected?.(kind, counts[kind])
    } catch (error) {
      // unless the database is away
      await d.store.writable()
      failures.push(error)
    }
  }
  await count('sessions_ended_by_rule', d.gc.endSessionsByRule(limit))
  await count('sessions_expired', d.gc.endExpiredSessions(limit))
  if (d.deleteOldEvents) await count('events', d.deleteOldEvents(limit))
  const { device_retention } = d.config().lethe.events
  if (device_retention !== undefined) await count('devices_forgotten', d.gc.forgetOldDevices(before(device_retention)))
  if (message_retention !== undefined) {
    await count('messages', d.gc.deleteOldMessages({ until: before(message_retention), limit }))
  }
  if (d.erase) await count('people_erased', d.erase(limit))
  const sessions = { until: before(session_retention), limit }
  await count('orphans', d.gc.deleteOrphans(sessions))
  if (d.deletes) {
    await count('sessions_deleted', d.gc.deleteExpiredSessions(sessions))
    await count('ended_sessions_deleted', d.gc.deleteEndedSessions(sessions))
    for (const table of await d.gc.existingTables()) {
      const until = before(table === ERRORS ? error_retention : flow_retention)
      await count(table, d.gc.deleteOld(table, { until, limit }))
    }
  }
  if (failures.length > 0) throw failures[0]
  return counts
}
