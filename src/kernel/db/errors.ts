import { Conflict, OutcomeUnknown, StoreError, StoreUnavailable } from './client.ts'

/** No connection, or a server that is stopping, starting or out of resources. */
export class ServerAway extends StoreUnavailable {}

/** A server that takes no writes: a standby, which may be behind, or a read-only one. */
export class ReadOnlyServer extends StoreUnavailable {}

/** The members that Postgres and PGlite give to an error of the server. */
interface ServerError {
  code: string
  severity: string
  constraint?: string
  routine?: string
}

/**
 * SQLSTATE of transient failures: the same statement may work in a moment, or on another
 * connection. A session must never count as signed out because of one of them.
 */
const TRANSIENT = new Set([
  '57014', // statement_timeout
  '55P03', // lock_timeout
  '25P03', // idle in transaction
  '25P04', // transaction_timeout
  '40001', // serialisation
  '40P01', // deadlock
  '26000', // prepared statement unknown: a pooler gave another server connection
  '42P05', // prepared statement known already: the same, from the other side
])

/** Classes of SQLSTATE of a server that cannot work for a while. */
const AWAY = new Set([
  '08', // connection
  '53', // out of connections, memory, disk
  '58', // system, I/O
  '57P', // shuts down, starts up, ended this connection
])

/** The server's report inside an error of either driver, or undefined for anything else. */
export function serverError(error: unknown): ServerError | undefined {
  const e = error as Partial<ServerError> | null
  return typeof e === 'object' && e !== null && typeof e.code === 'string' && typeof e.severity === 'string'
    ? (e as ServerError)
    : undefined
}

/** A migration changed the type of a column under a prepared statement: without its name it is planned anew. */
export function isStalePlan(error: unknown): boolean {
  const report = serverError(error)
  return report?.code === '0A000' && report.routine === 'RevalidateCachedQuery'
}

/**
 * Maps an error of a driver to one of the three that stores know. The text of the server is dropped: it quotes
 * the values that were sent ("Key (identifier)=(…) already exists").
 */
export function mapError(error: unknown, statement: string): Error {
  if (error instanceof StoreUnavailable || error instanceof Conflict || error instanceof StoreError) return error
  const e = serverError(error)
  if (!e) return new OutcomeUnknown(`${statement}: the connection failed${systemCode(error)}`)
  if (e.code === '25006') return new ReadOnlyServer(`${statement}: the server takes no writes`)
  if ((e.code === '23505' || e.code === '23503') && e.constraint) return new Conflict(e.constraint)
  if (AWAY.has(e.code.slice(0, 3)) || AWAY.has(e.code.slice(0, 2)))
    return new ServerAway(`${statement}: SQLSTATE ${e.code}`)
  const where = e.routine ? ` in ${e.routine}` : ''
  if (TRANSIENT.has(e.code)) return new StoreUnavailable(`${statement}: SQLSTATE ${e.code}${where}`)
  return new StoreError(`${statement}: SQLSTATE ${e.code}${where}`, e.code)
}

/**
 * No connection could be opened. Here the text of the server is kept for the operator: it names the role, the
 * database or the setting that was refused, never the password.
 */
export function mapConnectError(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error
  const e = serverError(error)
  if (e) return new ServerAway(`the database refused the connection: ${(error as Error).message} (SQLSTATE ${e.code})`)
  // an error of the pool itself
  if (error instanceof Error && error.message === 'timeout exceeded when trying to connect')
    return new StoreUnavailable(`every connection to the database was busy: ${error.message}`)
  const text = error instanceof Error && error.message !== '' ? `: ${error.message}` : systemCode(error)
  return new ServerAway(`no connection to the database${text}`)
}

function systemCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? ` (${code})` : ''
}
