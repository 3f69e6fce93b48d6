import type { LoadedConfig } from '../../config/load.ts'
import type { ConfigChange } from '../../config/reload.ts'
import type { Series } from '../metrics-sum.ts'

/** What the primary says to a worker. */
export type ToWorker =
  | { kind: 'start'; worker: number; workers: number; loaded: LoadedConfig }
  | { kind: 'config'; change: ConfigChange }
  /** asks for what the worker has counted */
  | { kind: 'count'; ask: number }
  /** what the other workers have counted */
  | { kind: 'others'; ask: number; others: Series[][] }
  | { kind: 'stop'; signal: string }

/** What a worker says to the primary. */
export type ToPrimary =
  /** listens from now on */
  | { kind: 'hello' }
  /** both ports are open */
  | { kind: 'serving' }
  /** somebody asked this worker for the metrics of all */
  | { kind: 'scrape'; ask: number; own: Series[] }
  | { kind: 'counted'; ask: number; series: Series[] }
