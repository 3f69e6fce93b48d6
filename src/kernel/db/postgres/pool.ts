import pg from 'pg'
import type { PoolCounts } from '../client.ts'
import { answerWithin } from '../deadline.ts'
import { mapConnectError, serverError } from '../errors.ts'
import { ARRAY_PARSERS, PARSERS } from '../values.ts'
import type { PostgresDsn } from './dsn.ts'
import { tlsOptions } from './tls.ts'

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
  /** Closes a connection that gave no answer in time. Those opened before it are closed too, when their turn comes. */
  abandon(client: pg.PoolClient, reason: Error): void
  /** whether a pooler stands before the server, so that the next statement may run on another connection to it */
  pooled(): boolean
  counts(): PoolCounts
  end(): Promise<void>
}

const TYPES = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => parserFor(oid, format),
} as pg.CustomTypesConfig

/** The pool of pg with what it lacks: settings that fit what is at the other end, listeners that keep the process up. */
export function createPool(dsn: PostgresDsn, options: PoolOptions): Pool {
  const server = adaptiveServer(dsn)
  const pool = new pg.Pool({
    Client: clientClass(dsn, options, server),
    types: TYPES,
    max: dsn.pool.maxConnections ?? options.maxConnections,
    connectionTimeoutMillis: options.acquireTimeoutMs,
    idleTimeoutMillis: dsn.pool.maxIdleTimeMs ?? 0,
    maxLifetimeSeconds: (dsn.pool.maxLifetimeMs ?? 0) / 1000,
    verify: (client, done) => {
      if (server.pooled !== undefined) return done()
      answerWithin(options.connectTimeoutMs, 'pooler', isPooled(client)).then(
        (pooled) => {
          server.pooled = pooled
          done()
        },
        (error) => done(error),
      )
    },
  })
  let generation = 0
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
      for (;;) {
        const client = await pool.connect().catch((error: unknown) => {
          if (server.adapt(error)) return undefined
          throw mapConnectError(error)
        })
        if (client && born.get(client) === generation) return client
        client?.release(true)
      }
    },
    release: (client) => client.release(tooManyIdle() && pool.waitingCount === 0),
    abandon(client, reason) {
      generation += 1
      client.release(reason)
    },
    pooled: () => server.pooled === true || !server.keepsTimeouts,
    counts: () => ({ used: pool.totalCount - pool.idleCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    end: () => pool.end(),
  }
}

/**
 * What is at the other end shows only when a connection is tried: a server without TLS, or PgBouncer, which refuses
 * settings that it does not know in the first message. `adapt` says whether another try, with less, makes sense.
 */
function adaptiveServer(dsn: PostgresDsn) {
  const tls = tlsOptions(dsn.tls, dsn.host)
  return {
    tls: dsn.tls.mode === 'allow' ? undefined : tls,
    keepsTimeouts: true,
    pooled: undefined as boolean | undefined,
    adapt(error: unknown): boolean {
      const text = error instanceof Error ? error.message : ''
      if (dsn.tls.mode === 'prefer' && this.tls && text.includes('does not support SSL')) {
        this.tls = undefined
        return true
      }
      if (dsn.tls.mode === 'allow' && !this.tls && tls && serverError(error)?.code === '28000') {
        this.tls = tls
        return true
      }
      if (this.keepsTimeouts && text.includes('unsupported startup parameter')) {
        this.keepsTimeouts = false
        return true
      }
      return false
    },
  }
}

/** A pooler makes up the number of the process that it gives to its client. */
async function isPooled(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return rows[0]?.pid !== (client as unknown as { processID: number }).processID
}

function clientClass(dsn: PostgresDsn, options: PoolOptions, server: ReturnType<typeof adaptiveServer>) {
  const timeouts = {
    statement_timeout: String(options.statementTimeoutMs),
    lock_timeout: String(options.lockTimeoutMs),
    // a transaction whose client vanished must not keep its locks
    idle_in_transaction_session_timeout: String(options.statementTimeoutMs * 2),
  }
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super({
        ...config,
        host: dsn.host,
        port: dsn.port,
        user: dsn.user,
        password: dsn.password,
        database: dsn.database,
        ssl: server.tls ?? false,
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
        connectionTimeoutMillis: dsn.connectTimeoutMs ?? options.connectTimeoutMs,
      } as pg.ClientConfig)
    }

    /** The first message to the server. The address has the last word. */
    getStartupConf(): Record<string, string> {
      const base = (pg.Client.prototype as unknown as { getStartupConf(): Record<string, string> }).getStartupConf
      return {
        ...base.call(this),
        application_name: options.applicationName,
        DateStyle: 'ISO, MDY',
        TimeZone: 'UTC',
        ...(server.keepsTimeouts ? timeouts : {}),
        ...dsn.runtime,
      }
    }
  }
}

function parserFor(oid: number, format?: 'text' | 'binary'): unknown {
  const element = ARRAY_PARSERS[oid]
  if (element) {
    const list = pg.types.getTypeParser(1009 as number, 'text') as (text: string) => (string | null)[]
    return (text: string) => list(text).map((item) => (item === null ? null : element(item)))
  }
  return PARSERS[oid] ?? pg.types.getTypeParser(oid, format as 'text')
}
