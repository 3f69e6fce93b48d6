import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type pg from 'pg'
import type { Db, Queryable, Row, Sql } from '../client.ts'
import { answerWithin } from '../deadline.ts'
import { isStalePlan, mapError, ReadOnlyServer, serverError } from '../errors.ts'
import { inOrder, type Values } from '../named.ts'
import { transaction } from '../transaction.ts'
import { encodeValue } from '../values.ts'
import { DsnError, parseDsn } from './dsn.ts'
import { createLender } from './lend.ts'
import { createOutageWatch, type OutageListener } from './outage.ts'
import { createPool, inspect } from './pool.ts'
import { CHECK_PRIMARY, cameFromStandby, onPrimary, writes } from './statement-kind.ts'
import { createWriteShare, shareOfWrites } from './write-share.ts'

export interface PostgresOptions {
  dsn: string
  /** @default twice the number of processors, at least 4; `max_conns` in the address wins */
  maxConnections?: number | undefined
  /** for opening one connection, TLS and log-in included; `connect_timeout` in the address wins */
  connectTimeoutMs: number
  /** for waiting until a connection is free, its opening included */
  acquireTimeoutMs: number
  /** for one statement, on the server; this side gives it `ANSWER_GRACE_MS` more, then closes the connection */
  statementTimeoutMs: number
  /** for waiting for one lock, so that one locked row cannot hold every connection */
  lockTimeoutMs: number
  applicationName: string
  /** called for connections that fail while idle, and for parameters of the address without effect */
  onError?: ((error: Error) => void) | undefined
  onStatement?: ((name: string, seconds: number, ok: boolean) => void) | undefined
  /** called when the database goes away, and when it comes back */
  onOutage?: OutageListener | undefined
}

/** Long enough for the server's own "canceling statement" to arrive, so that the connection can be kept. */
const ANSWER_GRACE_MS = 500

/**
 * Opens a pool; the first statement opens the first connection. Time limits are sent in the first message of a
 * connection and so hold for all statements without a round trip. PgBouncer refuses them there (unless its
 * `ignore_startup_parameters` names them, which drops them): then transactions set them locally, and a single statement
 * is limited from this side only; set them for the role (`alter role … set statement_timeout`) to limit it on the server.
 * Nothing is set on a pooler's connection, since its next client would inherit it.
 *
 * @throws DsnError
 */
export function openPostgres(options: PostgresOptions): Db {
  const dsn = parseDsn(options.dsn)
  if (dsn.kind !== 'postgres') throw new DsnError('the address does not start with postgres://')
  const onError = options.onError ?? (() => {})
  for (const warning of dsn.warnings) onError(new DsnError(warning))
  const maxConnections = options.maxConnections ?? Math.max(4, 2 * availableParallelism())
  const pool = createPool(dsn, { ...options, maxConnections, onError })
  const writers = createWriteShare(shareOfWrites(dsn.pool.maxConnections ?? maxConnections), options.acquireTimeoutMs)
  const outages = createOutageWatch(options.onOutage ?? {}, () => performance.now())
  const lend = createLender(pool, writers, outages)
  const answerMs = options.statementTimeoutMs + ANSWER_GRACE_MS
  let named = dsn.prepared

  /**
   * A failed transaction cannot be sent again, so its statements have no name while the pooler may not support them.
   * Behind one, programs of another version share connections, so a name includes a digest of its text.
   */
  function nameOf(statement: Sql, inTx: boolean): string | undefined {
    if (!named) return undefined
    if (!pool.pooled()) return statement.name
    return inTx ? undefined : `${statement.name}_${digestOf(statement)}`
  }

  function loseNames(): void {
    if (named && pool.pooled()) onError(new Error(NO_NAMES))
    named = false
  }

  async function run<R>(client: pg.PoolClient, statement: Sql, values: Values, inTx: boolean): Promise<R[]> {
    const guarded = !inTx && pool.pooled() && !writes(statement)
    const config = {
      text: guarded ? onPrimary(statement) : statement.text,
      values: inOrder(statement, values).map(encodeValue),
    }
    const send = (name?: string) =>
      answerWithin(answerMs, statement.name, client.query<Row>(name === undefined ? config : { ...config, name }))
    const started = performance.now()
    let ok = false
    try {
      const result = await send(nameOf(statement, inTx)).catch((error: unknown) => {
        const trouble = planTrouble(error)
        if (trouble === 'pooler') loseNames()
        // refused before it ran, so it may be sent again; inside a transaction everything after an error is refused
        if (trouble && !inTx) return send()
        throw error
      })
      ok = true
      return result.rows as R[]
    } catch (error) {
      if (guarded && cameFromStandby(error)) throw new ReadOnlyServer(`${statement.name}: ${STANDBY}`)
      throw mapError(error, statement.name)
    } finally {
      options.onStatement?.(statement.name, (performance.now() - started) / 1000, ok)
    }
  }

  async function runTx<T>(client: pg.PoolClient, work: (tx: Queryable) => Promise<T>): Promise<T> {
    const plain = (text: string, name = text) =>
      answerWithin(answerMs, name, client.query(text)).catch((error: unknown) => {
        if (cameFromStandby(error)) throw new ReadOnlyServer(`${name}: ${STANDBY}`)
        throw mapError(error, name)
      })
    await plain(pool.pooled() ? `begin; ${limits}; ${CHECK_PRIMARY}` : 'begin', 'begin')
    return transaction({ query: (statement, values) => run(client, statement, values, true), plain }, work)
  }

  async function requireWritable(client: pg.PoolClient): Promise<void> {
    await answerWithin(answerMs, 'writable', inspect(client)).catch((error: unknown) => {
      throw mapError(error, 'writable')
    })
  }

  const limits = `set local statement_timeout = ${options.statementTimeoutMs};
    set local lock_timeout = ${options.lockTimeoutMs};
    set local idle_in_transaction_session_timeout = ${options.statementTimeoutMs * 2}`
  return {
    backend: 'postgres',
    query: <R>(statement: Sql, values: Values = []) =>
      (writes(statement) ? lend.write : lend.read)(statement.name, (client) =>
        run<R>(client, statement, values, false),
      ),
    tx: (work) => lend.write('transaction', (client) => runTx(client, work)),
    writable: () => lend.read('writable', requireWritable),
    connections: () => {
      const counts = pool.counts()
      return { ...counts, waiting: counts.waiting + writers.waiting() }
    },
    script: (text, { alone = false } = {}) =>
      lend.read('script', (client) => runScript(client, text, { alone, pooled: pool.pooled() })),
    close: () => pool.end(),
  }
}

const UNLIMITED = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']

/**
 * Without time limits: building an index on a large table takes as long as it takes. They are lifted in the same message, so
 * for one transaction; for a statement that must be alone in its message, on the connection, unless that is a pooler's.
 */
async function runScript(client: pg.PoolClient, text: string, how: { alone: boolean; pooled: boolean }): Promise<void> {
  const each = (command: (name: string) => string) => UNLIMITED.map(command).join('; ')
  const onConnection = how.alone && !how.pooled
  try {
    if (onConnection) await client.query(each((name) => `set ${name} = 0`))
    await client.query(how.alone ? text : `${each((name) => `set local ${name} = 0`)};\n${text}`)
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw mapError(error, 'script')
  } finally {
    if (onConnection) await client.query(each((name) => `reset ${name}`)).catch(() => {})
  }
}

const STANDBY = 'it ran on a standby'

const digests = new WeakMap<Sql, string>()

function digestOf(statement: Sql): string {
  let digest = digests.get(statement)
  if (digest === undefined) {
    digest = createHash('sha256').update(statement.text).digest('hex').slice(0, 8)
    digests.set(statement, digest)
  }
  return digest
}

const NO_NAMES =
  'the pooler before the database keeps no prepared statements; going on without them, at the cost of planning each ' +
  'statement anew: set max_prepared_statements (PgBouncer 1.21 or later), or default_query_exec_mode=exec in the dsn'

/**
 * The server refuses a prepared statement: a pooler without support for them used another server
 * connection (26000 unknown, 42P05 there already), or a migration changed the type of a column under it (0A000).
 */
function planTrouble(error: unknown): 'pooler' | 'schema' | undefined {
  const report = serverError(error)
  if (report?.code === '26000' || report?.code === '42P05') return 'pooler'
  return isStalePlan(error) ? 'schema' : undefined
}
