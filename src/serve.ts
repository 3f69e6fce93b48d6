import { randomBytes, randomUUID } from 'node:crypto'
import { availableParallelism, hostname } from 'node:os'
import type { Writable } from 'node:stream'
import { createNode, type Node } from './compose/node.ts'
import type { LoadedConfig } from './config/load.ts'
import type { Config } from './config/schema/schema.ts'
import { courierWarnings } from './courier/warnings.ts'
import { systemClock } from './kernel/base/clock.ts'
import { createLogger, type Logger, redact } from './kernel/base/log.ts'
import { VERSION } from './kernel/base/version.ts'
import { createHasher } from './kernel/crypto/passwords/passwords.ts'
import type { Db } from './kernel/db/client.ts'
import type { Meta } from './kernel/db/meta.ts'
import { openDb } from './kernel/db/open.ts'
import { awaitDatabase } from './ops/await-database.ts'
import { createDrain } from './ops/drain.ts'
import { raiseHeapLimit } from './ops/heap.ts'
import { checkSecrets, requireSecrets } from './ops/known-secrets.ts'
import { listen, type NamedApp } from './ops/listen.ts'
import { createLiveConfig, type LiveConfig } from './ops/live-config.ts'
import { createMetrics, type Metrics } from './ops/metrics.ts'
import { createReadiness } from './ops/readiness.ts'
import { logWarnings, readConfig } from './ops/start-config.ts'
import { stopInPhases } from './ops/stop.ts'
import { followTls, readTls, type TlsPairs } from './ops/tls.ts'
import type { Primary } from './ops/workers/link.ts'
import { shareOf } from './ops/workers/share.ts'
import { END_CAUSES } from './sessions/types.ts'

export interface ServeOptions {
  files: string[]
  dev: boolean
  /** applies pending migrations before the ports open; embedded databases always do */
  migrate: boolean
  /** sends messages to people; with `dev` it always does */
  watchCourier?: boolean
  /** only sends messages, and opens no port */
  courierOnly?: boolean
  env: Record<string, string | undefined>
  stdout: Writable & { isTTY?: boolean }
  stderr: Writable
  /** instead of `lethe.http.drain_delay` */
  drainDelayMs?: number | undefined
  /** resolves when the process is asked to stop */
  stopRequested: Promise<string>
  /** set in one of several processes that share the ports */
  primary?: Primary
}

/**
 * Runs the server until it is asked to stop.
 * @returns the exit code: 0 after an orderly stop, 1 when it could not start
 */
export async function serve(options: ServeOptions): Promise<number> {
  const loaded = options.primary?.loaded ?? readConfig({ ...options, random: randomBytes })
  if (loaded === undefined) return 1
  const log = await createLogger(loaded.config, options.stdout, options.primary?.worker)
  try {
    return await run(options, loaded, log)
  } catch (error) {
    log.fatal({ err: error }, 'the server could not start')
    options.stderr.write(`Error: ${redact((error as Error).message)}\n`)
    return 1
  }
}

async function run(options: ServeOptions, loaded: LoadedConfig, log: Logger): Promise<number> {
  const { primary } = options
  if (!primary) logWarnings(loaded, log)
  const tls = await readTls(loaded.config)
  const live = await createLiveConfig(
    { ...options, random: randomBytes, flags: options, cwd: process.cwd(), watch: primary?.watch },
    loaded,
    log,
  )
  const counted = createMetrics({ version: VERSION, causes: END_CAUSES, processMetrics: true })
  const metrics = primary?.shareMetrics(counted) ?? counted
  const db = openConfigured(loaded.config, log, metrics, primary)
  try {
    const { generatedSecrets } = loaded
    return await serveUntilStopped({ options, live, db: await db, log, metrics, tls, generatedSecrets })
  } finally {
    live.close()
    await (await db).close()
  }
}

/** What exists once the configuration is read and the database opened. */
interface Started {
  options: ServeOptions
  live: LiveConfig
  db: Db
  log: Logger
  metrics: Metrics
  tls: TlsPairs
  /** random secrets stand in for configured ones */
  generatedSecrets: boolean
}

async function serveUntilStopped(started: Started): Promise<number> {
  const { options, live, db, log, tls } = started
  const config = live.config()
  const shared = options.primary !== undefined
  const listens = options.courierOnly !== true
  const migrate = options.migrate || db.backend === 'pglite'
  const waiting = awaitDatabase({ db, config, log, tls, shared, listens, migrate })
  const ready = await Promise.race([waiting.ready, options.stopRequested.then(() => undefined)])
  if (ready === undefined) {
    await waiting.abandon()
    return 0
  }
  if (!listens) return sendUntilStopped(started, ready.kind)
  const drain = createDrain(createReadiness(db))
  const node = await buildNode(started, ready.kind, drain.isReady)
  const sends = options.watchCourier === true || live.dev
  if (!shared) for (const { keys, message } of courierWarnings(config, sends, live.dev)) log.warn({ keys }, message)
  const apps: NamedApp[] = [
    { name: 'public', app: node.apps.public },
    { name: 'admin', app: node.apps.admin },
  ]
  await listen(apps, config, log, shared)
  const certificates = followTls({ apps, config, initial: tls, log })
  raiseHeapLimit()
  node.start()
  if (!shared) void logProviderWarnings(node.deps, log)
  options.primary?.serving()
  const signal = await options.stopRequested
  const drainMs = drainDelay(started, signal)
  log.info({ signal, drain_ms: drainMs }, 'stopping')
  await drain.run(apps, drainMs)
  await certificates.close()
  await stopInPhases(
    [
      ['requests', () => Promise.all(apps.map(({ app }) => app.close()))],
      ['background work', () => node.stop()],
    ],
    log,
  )
  return 0
}

/** Once, after the ports are open: other servers are asked. */
async function logProviderWarnings({ providerWarnings }: Node['deps'], log: Logger): Promise<void> {
  for (const { keys, message } of await providerWarnings()) log.warn({ keys }, message)
}

/** The courier alone, as a process of its own. */
async function sendUntilStopped(started: Started, kind: Meta['kind']): Promise<number> {
  const { options, log } = started
  const { courierWorker } = (await buildNode(started, kind, async () => true)).deps
  courierWorker.start()
  log.info('sending messages')
  const signal = await options.stopRequested
  log.info({ signal }, 'stopping')
  await stopInPhases([['messages', () => courierWorker.stop()]], log)
  return 0
}

/** None where no other node can take over, and none at a terminal. */
function drainDelay({ options, live, db }: Started, signal: string): number {
  if (options.drainDelayMs !== undefined) return options.drainDelayMs
  if (live.dev || db.backend === 'pglite' || signal === 'SIGINT' || signal === 'SIGHUP') return 0
  return live.config().lethe.http.drain_delay
}

async function openConfigured(config: Config, log: Logger, metrics: Metrics, primary?: Primary): Promise<Db> {
  const { database } = config.lethe
  const share = primary && shareOf(availableParallelism(), primary.workers)
  const db = await openDb(config.dsn, {
    maxConnections: database.max_connections ?? share?.connections,
    connectTimeoutMs: database.connect_timeout,
    acquireTimeoutMs: database.acquire_timeout,
    statementTimeoutMs: database.statement_timeout,
    lockTimeoutMs: database.lock_timeout,
    onError: (error) => log.warn({ err: error }, 'database connection'),
    onWarning: (message) => log.warn(message),
    onStatement: metrics.statement,
    onOutage: {
      onAway: (error) => log.error({ err: error }, 'the database is away'),
      onBack: ({ ms, failed }) => log.warn({ outage_ms: ms, failed }, 'the database is back'),
    },
  })
  metrics.watchPool(() => db.connections?.())
  return db
}

function buildNode(started: Started, kind: Meta['kind'], isReady: () => Promise<boolean>) {
  const { options, live, db, log, metrics, tls } = started
  if (kind === 'adopted') requireSecrets(started.generatedSecrets)
  const { env, primary } = options
  const { dev } = live
  const { queue, concurrency = primary && shareOf(availableParallelism(), primary.workers).hashes } =
    live.config().lethe.hashing
  return createNode({
    ...live,
    enforceNativeFlows: !(dev && env.DEV_DISABLE_API_FLOW_ENFORCEMENT === 'true'),
    watchCourier: options.watchCourier === true,
    cwd: process.cwd(),
    hostname: hostname(),
    clock: systemClock(),
    random: randomBytes,
    log,
    metrics,
    db,
    kind,
    checkMeta: (meta) => (kind === 'adopted' ? demandKratosSecrets(started, meta) : Promise.resolve()),
    hasher: createHasher(() => ({ ...live.config().hashers, dev }), {
      random: randomBytes,
      queue,
      onLoad: metrics.hashing,
      ...(concurrency === undefined ? {} : { concurrency }),
    }),
    app: { version: VERSION, isReady, requestId: randomUUID, configHash: live.hash, tls },
  })
}

/** @throws WrongSecrets where they would end the sessions of everyone who is signed in at Kratos */
async function demandKratosSecrets({ live, db, log }: Started, meta: Meta): Promise<void> {
  await checkSecrets(db, meta, live.config())
  live.onReload(() => {
    checkSecrets(db, meta, live.config()).catch((err) => log.error({ err }, 'the secrets of this database'))
  })
}
