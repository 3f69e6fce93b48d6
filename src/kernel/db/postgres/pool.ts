import pg from 'pg'
import { runningMs } from '../../base/running-clock.ts'
import type { PoolCounts } from '../client.ts'
import { answerWithin } from '../deadline.ts'
import { mapConnectError, ReadOnlyServer } from '../errors.ts'
import { HOME_IN_PATH, useHomeSchema } from '../home-schema.ts'
import { TYPES } from '../values.ts'
import type { PostgresDsn } from './dsn.ts'
import { createServers, type Servers, type Target } from './servers.ts'

export interface PoolOptions {
  maxConnections: number
  connectTimeoutMs: number
  acquireTimeoutMs: number
  statementTimeoutMs: number
  lockTimeoutMs: number
  applicationName: string
  onError: (error: Error) => void
}

export interface Pool {
  /** @throws StoreUnavailable */
  acquire(): Promise<pg.PoolClient>
  release(client: pg.PoolClient): void
  /** Closes a connection that gave no answer in time. Those opened before it are closed too, when they are next used. */
  abandon(client: pg.PoolClient, reason: Error): void
  /** Closes a connection whose state is not known. */
  discard(client: pg.PoolClient, reason: Error): void
  /** whether there is a pooler in front of the server, so that the next statement may use another server connection */
  pooled(): boolean
  counts(): PoolCounts
  end(): Promise<void>
}

/**
 * The pool of pg with what it lacks: it uses only servers that take writes, knows several servers, adapts its settings to
 * PgBouncer, and has listeners that keep the process alive.
 */
export function createPool(dsn: PostgresDsn, options: PoolOptions): Pool {
  const servers = createServers(dsn)
  const triedAt = new WeakMap<object, Target>()
  let generation = 0
  let pooled = false
  const pool = new pg.Pool({
    Client: clientClass(dsn, options, servers, triedAt),
    types: TYPES,
    max: dsn.pool.maxConnections ?? options.maxConnections,
    connectionTimeoutMillis: options.acquireTimeoutMs,
    idleTimeoutMillis: dsn.pool.maxIdleTimeMs ?? 0,
    maxLifetimeSeconds: (dsn.pool.maxLifetimeMs ?? MAX_LIFETIME_MS) / 1000,
    verify: (client, done) => {
      answerWithin(options.connectTimeoutMs, 'connect', prepare(client)).then(
        (found) => {
          pooled ||= found.pooled
          done()
        },
        (error) => {
          triedAt.set(error, triedAt.get(client)!)
          done(error)
        },
      )
    },
  })
  const born = new WeakMap<pg.PoolClient, number>()
  pool.on('error', (error) => options.onError(mapConnectError(error)))
  pool.on('connect', (client) => {
    born.set(client, generation)
    // While a connection is borrowed the pool does not listen; without a listener its failure would end the process.
    client.on('error', () => {})
  })
  const tooManyIdle = () => pool.idleCount >= (dsn.pool.maxIdleConnections ?? Number.POSITIVE_INFINITY)
  return {
    async acquire() {
      const until = performance.now() + options.acquireTimeoutMs
      const began = runningMs()
      for (let refusals = 0; ; ) {
        try {
          const client = await pool.connect()
          if (born.get(client) === generation) return client
          client.release(true)
        } catch (error) {
          // The pool's own timers do not know of a suspended process: a wait that ended in such a pause is tried once more.
          const paused = runningMs() - began < options.acquireTimeoutMs / 2
          if (paused && performance.now() >= until && isTimeout(error)) continue
          refusals += 1
          const target = targetOf(error, triedAt)
          const again = target !== undefined && servers.another(target, error)
          // each server may refuse two settings, and fail once
          if (!again || refusals >= 3 * servers.count || performance.now() >= until) throw mapConnectError(error)
        }
      }
    },
    release: (client) => client.release(tooManyIdle() && pool.waitingCount === 0),
    abandon(client, reason) {
      generation += 1
      client.release(reason)
    },
    discard: (client, reason) => client.release(reason),
    pooled: () => pooled || !servers.target().server.keepsTimeouts,
    counts: () => ({ used: pool.totalCount - pool.idleCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    end: () => pool.end(),
  }
}

/** Notices an address that has moved although the old server never closes its connections. */
const MAX_LIFETIME_MS = 30 * 60_000
/** Where another server can be tried, a silent one is given less time. */
const FAILOVER_CONNECT_MS = 1500

/** Texts of errors of the pool and of its connections. */
const isTimeout = (error: unknown) =>
  error instanceof Error && /timeout (exceeded|expired)|connection timeout/i.test(error.message)

/** The pool wraps the error of a timeout. */
function targetOf(error: unknown, triedAt: WeakMap<object, Target>): Target | undefined {
  if (!(error instanceof Error)) return undefined
  return triedAt.get(error) ?? (error.cause instanceof Error ? triedAt.get(error.cause) : undefined)
}

/**
 * What is at the other end of a new connection. A pooler invents the process id that it gives to its client.
 *
 * @throws ReadOnlyServer for one that must not be used, not even to read: a standby may be behind
 */
export async function inspect(client: pg.PoolClient): Promise<{ pooled: boolean; inPath: boolean }> {
  const { rows } = await client.query<{ pid: number; standby: boolean; read_only: boolean; in_path: boolean }>(
    `select pg_backend_pid() as pid, pg_is_in_recovery() as standby, current_setting('transaction_read_only')::boolean as read_only,
      ${HOME_IN_PATH} as in_path`,
  )
  const { pid, standby, read_only, in_path: inPath } = rows[0]!
  if (standby) throw new ReadOnlyServer('the server is a standby, and only the primary is asked')
  if (read_only) throw new ReadOnlyServer('the server takes no writes: default_transaction_read_only is on')
  return { pooled: pid !== (client as unknown as { processID: number }).processID, inPath }
}

/** Sets the search path, unless the connection is a pooler's. */
async function prepare(client: pg.PoolClient): Promise<{ pooled: boolean }> {
  const found = await inspect(client)
  if (!found.inPath && !found.pooled) await client.query(useHomeSchema(false))
  return found
}

function clientClass(
  dsn: PostgresDsn,
  options: PoolOptions,
  servers: Servers,
  triedAt: WeakMap<object, Target>,
): typeof pg.Client {
  const timeouts = {
    statement_timeout: String(options.statementTimeoutMs),
    lock_timeout: String(options.lockTimeoutMs),
    // a transaction whose client vanished must not keep its locks
    idle_in_transaction_session_timeout: String(options.statementTimeoutMs * 2),
  }
  const connectTimeoutMs =
    dsn.connectTimeoutMs ?? Math.min(options.connectTimeoutMs, servers.count > 1 ? FAILOVER_CONNECT_MS : 3_600_000)
  class Client extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      const target = servers.target()
      const { host, port, tls } = target.server
      super({
        ...config,
        host,
        port,
        user: dsn.user,
        password: dsn.password,
        database: dsn.database,
        ssl: tls ?? false,
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
        connectionTimeoutMillis: connectTimeoutMs,
      } as pg.ClientConfig)
      triedAt.set(this, target)
    }

    /** The pool always gives a callback. */
    override connect = ((callback: (error?: Error) => void) =>
      super.connect((error?: Error) => {
        if (error) triedAt.set(error, triedAt.get(this)!)
        callback(error)
      })) as pg.Client['connect']

    /** The first message to the server. Settings in the address win. */
    getStartupConf(): Record<string, string> {
      const base = (pg.Client.prototype as unknown as { getStartupConf(): Record<string, string> }).getStartupConf
      return {
        ...base.call(this),
        application_name: options.applicationName,
        DateStyle: 'ISO, MDY',
        TimeZone: 'UTC',
        ...(triedAt.get(this)!.server.keepsTimeouts ? timeouts : {}),
        ...dsn.runtime,
      }
    }
  }
  return Client as typeof pg.Client
}
