import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import type { LoadedConfig } from '../../config/load.ts'
import { watchConfig } from '../../config/watch.ts'
import { createLogger, type Logger, redact } from '../../kernel/base/log.ts'
import { parseDsn } from '../../kernel/db/postgres/dsn.ts'
import { createLiveConfig } from '../live-config.ts'
import { logWarnings, readConfig } from '../start-config.ts'
import { freeSocketPath } from '../unix-socket.ts'
import type { Forker } from './fork.ts'
import { type Supervised, superviseWorkers } from './supervise.ts'

export interface PrimaryOptions {
  /** at least 2 */
  workers: number
  fork: Forker
  files: string[]
  dev: boolean
  env: Record<string, string | undefined>
  random: (bytes: number) => Buffer
  pause(ms: number): Promise<unknown>
  stdout: Writable & { isTTY?: boolean }
  stderr: Writable
  /** instead of `lethe.http.drain_delay` */
  drainDelayMs?: number | undefined
  /** resolves when the process is asked to stop */
  stopRequested: Promise<string>
}

/**
 * Runs a server of several processes until it is asked to stop. Serves nothing itself: it reads the configuration for all
 * workers, so that they have the same one, with the same secrets, even a worker that starts while a file is broken.
 * @returns the exit code: 0 after an orderly stop, 1 when it could not start
 */
export async function serveWithWorkers(options: PrimaryOptions): Promise<number> {
  const loaded = readConfig(options)
  if (loaded === undefined) return 1
  const log = await createLogger(loaded.config, options.stdout)
  try {
    refuseEmbedded(loaded)
    logWarnings(loaded, log)
    return await run(options, loaded, log)
  } catch (error) {
    log.fatal({ err: error }, 'the server could not start')
    options.stderr.write(`Error: ${redact((error as Error).message)}\n`)
    return 1
  }
}

function refuseEmbedded({ config }: LoadedConfig): void {
  if (parseDsn(config.dsn).kind === 'postgres') return
  throw new Error(
    'the embedded database belongs to one process, so --workers needs another: set dsn to postgres://…, or leave --workers away',
  )
}

async function run(options: PrimaryOptions, loaded: LoadedConfig, log: Logger): Promise<number> {
  let current = loaded
  let server: Supervised | undefined
  const live = await createLiveConfig(
    {
      ...options,
      flags: options,
      cwd: resolve(),
      watch: (watched) =>
        watchConfig({
          ...watched,
          async onChange(change) {
            await watched.onChange(change)
            current = change.loaded
            server?.tell({ kind: 'config', change })
          },
        }),
    },
    loaded,
    log,
  )
  try {
    for (const { host } of [loaded.config.serve.public, loaded.config.serve.admin])
      if (host.startsWith('unix:')) await freeSocketPath(host.slice('unix:'.length))
    const { stopRequested, fork, pause, workers: count } = options
    const drainMs = () => options.drainDelayMs ?? current.config.lethe.http.drain_delay
    server = superviseWorkers({ count, fork, loaded: () => current, stopRequested, log, drainMs, pause })
    return await server.ended
  } finally {
    live.close()
  }
}
