import { Counter, collectDefaultMetrics, Gauge, Histogram, type MetricObject, Registry } from 'prom-client'
import { type CourierMetrics, createCourierMetrics } from './metrics-courier.ts'
import { createEventMetrics, type EventMetrics } from './metrics-events.ts'
import { createHttpMetrics, type HttpMetrics } from './metrics-http.ts'
import { isOwn, type Series } from './metrics-sum.ts'

/** All metrics. One for each process, handed to what counts. */
export interface Metrics {
  http: HttpMetrics
  events: EventMetrics
  courier: CourierMetrics
  /** @param cause one of `END_CAUSES`, never a text from outside */
  sessionsEnded(cause: string, count: number): void
  /** @param name of the statement */
  statement(name: string, seconds: number, ok: boolean): void
  /** @param size calls that shared one statement */
  batch(size: number): void
  hashing(running: number, waiting: number): void
  /** @param read called at each scrape; undefined where there is no pool */
  watchPool(read: () => { used: number; idle: number; waiting: number } | undefined): void
  /** all series as text, for a scraper */
  text(): Promise<string>
  /** all series, for the sum of several processes */
  series(): Promise<Series[]>
  /** without those that are the same in all processes of a node */
  ownSeries(): Promise<Series[]>
}

export interface MetricsOptions {
  version: string
  /** causes that have a series from the start, so that the first end of a kind shows as an increase */
  causes: readonly string[]
  /** also the memory, processor and descriptors of this process */
  processMetrics: boolean
}

/** A single-row statement takes well under a millisecond; one that waits for a lock takes up to seconds. */
const STATEMENT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64]

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  if (options.processMetrics) collectDefaultMetrics({ register: registry })
  const ended = new Counter({
    name: 'lethe_sessions_ended_total',
    help: 'Sessions that this node ended, by cause.',
    labelNames: ['cause'],
    registers,
  })
  for (const cause of options.causes) ended.inc({ cause }, 0)
  const statements = new Histogram({
    name: 'lethe_db_statement_duration_seconds',
    help: 'Time of database statements, by name.',
    labelNames: ['name'],
    buckets: STATEMENT_SECONDS,
    registers,
  })
  const failures = new Counter({
    name: 'lethe_db_statement_failures_total',
    help: 'Database statements that failed, by name.',
    labelNames: ['name'],
    registers,
  })
  const batches = new Histogram({
    name: 'lethe_db_batch_size',
    help: 'Calls that shared one statement.',
    buckets: BATCH_SIZES,
    registers,
  })
  const hashing = new Gauge({
    name: 'lethe_hashing_jobs',
    help: 'Password hashes that are being computed or wait for it.',
    labelNames: ['state'],
    registers,
  })
  return {
    http: createHttpMetrics(registry, options.version),
    events: createEventMetrics(registry),
    courier: createCourierMetrics(registry),
    sessionsEnded: (cause, count) => {
      if (count > 0) ended.inc({ cause }, count)
    },
    statement(name, seconds, ok) {
      statements.observe({ name }, seconds)
      if (!ok) failures.inc({ name })
    },
    batch: (size) => batches.observe(size),
    hashing(running, waiting) {
      hashing.set({ state: 'running' }, running)
      hashing.set({ state: 'waiting' }, waiting)
    },
    watchPool: (read) => watchPool(registry, read),
    text: () => registry.metrics(),
    series: () => seriesOf(registry, () => true),
    ownSeries: () => seriesOf(registry, isOwn),
  }
}

function seriesOf(registry: Registry, wanted: (metric: MetricObject) => boolean): Promise<Series[]> {
  const metrics = registry.getMetricsAsArray() as (MetricObject & { get(): Promise<Series> })[]
  return Promise.all(metrics.filter(wanted).map((metric) => metric.get()))
}

function watchPool(registry: Registry, read: Parameters<Metrics['watchPool']>[0]): void {
  new Gauge({
    name: 'lethe_db_pool_connections',
    help: 'Connections to the database that are used or idle, and calls that wait for one.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(read() ?? {})) this.set({ state }, count)
    },
  })
}
