import { numbered, type Values } from './named.ts'

/** A statement with a name: the prepared-statement name, the metric label and the span name in one. */
export interface Sql {
  readonly name: string
  /** as the database reads it, with `$1…$n` */
  readonly text: string
  /** of its parameters, in order, if they have names */
  readonly names?: readonly string[]
}

/** Defines a named statement. Parameters are `:name`, or `$1…$n` for six and fewer; columns are always listed. */
export function sql(name: string, text: string): Sql {
  return numbered(name, text)
}

export type Row = Record<string, unknown>

/**
 * Anything that runs statements: the database itself or a transaction on it.
 *
 * Values come back as: `timestamp` → RFC 3339 text in UTC with the microseconds that are stored
 * (`2026-11-22T14:43:19.123456Z`), `jsonb` → parsed, `uuid`/`text` → string, `bigint` → number, `bool` → boolean.
 * Timestamps go in as the same RFC 3339 text.
 *
 * @throws StoreUnavailable, Conflict, StoreError
 */
export interface Queryable {
  query<R = Row>(statement: Sql, values?: Values): Promise<R[]>
}

/** Connections to the database, and calls that wait for one. */
export interface PoolCounts {
  used: number
  idle: number
  waiting: number
}

export interface Db extends Queryable {
  readonly backend: 'postgres' | 'pglite'
  /** Runs `work` in one transaction; any throw rolls it back. Nested calls are not supported. */
  tx<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  /** Whether the server takes writes: a standby or a read-only one does not. @throws StoreUnavailable */
  writable(): Promise<void>
  /** absent where there is no pool */
  connections?(): PoolCounts
  /**
   * Runs a text of several statements without parameters (migrations only). `alone`: it is one statement, which Postgres
   * refuses in the company of others.
   */
  script(text: string, options?: { alone?: boolean }): Promise<void>
  close(): Promise<void>
}

/** The store did not answer: refused, cut off, too slow, out of connections. Becomes 503, never "signed out". */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/** The connection was lost, or fell silent, with a statement in flight: whether that took effect is unknown. */
export class OutcomeUnknown extends StoreUnavailable {}

/** The same of a write, which the caller must be told. */
export class CommitUnknown extends OutcomeUnknown {}

/** A row that the write depends on is locked by another transaction, or has changed; nothing was written. */
export class NotLocked extends StoreUnavailable {}

/** A unique or foreign key was violated. `constraint` is its name in the database. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
  readonly constraint: string
  constructor(constraint: string, options?: ErrorOptions) {
    super(`conflict on ${constraint}`, options)
    this.constraint = constraint
  }
}

/** Any other failure of a statement; `sqlstate` for the log. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly sqlstate: string | undefined
  constructor(message: string, sqlstate: string | undefined, options?: ErrorOptions) {
    super(message, options)
    this.sqlstate = sqlstate
  }
}
