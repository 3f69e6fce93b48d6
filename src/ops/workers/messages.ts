import type { LoadedConfig } from '../../config/load.ts'
import type { ConfigChange } from '../../config/reload.ts'
import type { Series } from '../metrics-sum.ts'

/** From the primary to a worker. */
export type ToWorker =
  | { kind: 'start'; worker: number; workers: number; loaded: LoadedConfig }
  | { kind: 'config'; change: ConfigChange }
  /** asks for what the worker has counted */
  | { kind: 'count'; ask: number }
  /** what the other workers have counted */
  | { kind: 'others'; ask: number; others: Series[][] }
  | { kind: 'stop'; signal: string }

/** From a worker to the primary. */
export type ToPrimary =
  /** reads messages from now on */
  | { kind: 'hello' }
  /** both ports are open */
  | { kind: 'serving' }
  /** a client asked this worker for the metrics of all */
  | { kind: 'scrape'; ask: number; own: Series[] }
  | { kind: 'counted'; ask: number; series: Series[] }
