import { parseUrl } from '../../base/url.ts'
import { type PoolSettings, parsePoolSettings } from './dsn-pool.ts'

/** The address of the database cannot be used. The message names the part and the remedy, never the address itself. */
export class DsnError extends Error {
  override readonly name = 'DsnError'
}

export type TlsMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

export interface TlsSettings {
  mode: TlsMode
  /** file names; `system` as root certificate means the store of the system */
  rootCert: string | undefined
  cert: string | undefined
  key: string | undefined
  keyPassword: string | undefined
}

export interface PostgresDsn {
  kind: 'postgres'
  /** name, address or folder of a unix socket; undefined: `PGHOST` or localhost */
  host: string | undefined
  port: number | undefined
  user: string | undefined
  password: string | undefined
  database: string | undefined
  tls: TlsSettings
  pool: PoolSettings
  connectTimeoutMs: number | undefined
  /** false: the address asks for a mode without prepared statements (`default_query_exec_mode=simple_protocol`) */
  prepared: boolean
  /** run-time settings for the server, such as `search_path` */
  runtime: Record<string, string>
  warnings: string[]
}

export interface PgliteDsn {
  kind: 'pglite'
  /** undefined: in memory */
  dataDir: string | undefined
}

const OTHER_DATABASES: Record<string, string> = {
  mysql: 'MySQL',
  cockroach: 'CockroachDB',
  cockroachdb: 'CockroachDB',
  crdb: 'CockroachDB',
  sqlite: 'SQLite',
  sqlite3: 'SQLite',
}
const TLS_MODES = new Set<string>(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'])
/** Parameters of libpq and pgx that say nothing to the server and have no counterpart here. */
const IGNORED = new Set([
  'target_session_attrs',
  'channel_binding',
  'gssencmode',
  'krbsrvname',
  'sslsni',
  'sslnegotiation',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'statement_cache_capacity',
  'description_cache_capacity',
  'min_read_buffer_size',
])

/**
 * Reads `memory`, `pglite://DIR` and `postgres://…` with the query parameters that Kratos takes.
 *
 * @throws DsnError
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function parseDsn(dsn: string): PostgresDsn | PgliteDsn {
  if (dsn === 'memory') return { kind: 'pglite', dataDir: undefined }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(dsn)?.[1]?.toLowerCase()
  if (scheme === 'pglite') return parsePglite(dsn)
  if (scheme === 'postgres' || scheme === 'postgresql') return parsePostgres(dsn)
  if (scheme !== undefined && OTHER_DATABASES[scheme]) {
    throw new DsnError(
      `${OTHER_DATABASES[scheme]} (${scheme}:) is not supported; use postgres://, pglite://DIR or memory`,
    )
  }
  if (/(^|\s)(host|hostaddr|dbname|user|port|service)\s*=/.test(dsn)) {
    throw new DsnError('the form "host=… dbname=…" is not supported; write postgres://USER:PASSWORD@HOST:PORT/DATABASE')
  }
  throw new DsnError(
    'unknown kind of database; use postgres://USER:PASSWORD@HOST:PORT/DATABASE, pglite://DIR or memory',
  )
}

function parsePglite(dsn: string): PgliteDsn {
  const dataDir = dsn.replace(/^pglite:(\/\/)?/i, '')
  if (dataDir === '')
    throw new DsnError('pglite:// needs a folder, for example pglite://./data or pglite:///var/lib/lethe')
  return { kind: 'pglite', dataDir }
}

function parsePostgres(dsn: string): PostgresDsn {
  const url = readUrl(dsn)
  const query = new Map(url.searchParams)
  const take = (name: string) => {
    const value = query.get(name)
    query.delete(name)
    return value === '' ? undefined : value
  }
  const warnings: string[] = []
  const mode = take('sslmode') ?? 'prefer'
  if (!TLS_MODES.has(mode)) throw new DsnError(`sslmode is not one of ${[...TLS_MODES].join(', ')}`)
  const result: PostgresDsn = {
    kind: 'postgres',
    host: take('host') ?? (decode(url.hostname).replace(/^\[(.*)\]$/, '$1') || undefined),
    port: integer('port', take('port') ?? url.port),
    user: take('user') ?? (decode(url.username) || undefined),
    password: take('password') ?? (decode(url.password) || undefined),
    database: take('dbname') ?? take('database') ?? (decode(url.pathname.slice(1)) || undefined),
    tls: {
      mode: mode as TlsMode,
      rootCert: take('sslrootcert'),
      cert: take('sslcert'),
      key: take('sslkey'),
      keyPassword: take('sslpassword'),
    },
    pool: parsePoolSettings(take, warnings),
    connectTimeoutMs: seconds(take('connect_timeout')),
    prepared: !['simple_protocol', 'exec', 'describe_exec'].includes(take('default_query_exec_mode') ?? ''),
    runtime: {},
    warnings,
  }
  if (result.host?.includes(',')) throw new DsnError('several hosts in one address are not supported; name one')
  for (const [name, value] of query) {
    if (name.startsWith('pool_')) throw new DsnError(`${name} is not known; the size of the pool is max_conns`)
    if (IGNORED.has(name)) warnings.push(`dsn: parameter ${name} has no effect`)
    else if (/^[a-z_][a-z0-9_.]*$/i.test(name)) result.runtime[name] = value
    else throw new DsnError('a query parameter has a name that no setting of the server can have')
  }
  return result
}

function readUrl(dsn: string): URL {
  // WHATWG would cut the password at a raw "#" without a word
  const url = dsn.includes('#') ? undefined : parseUrl(dsn)
  if (url) return url
  const hint =
    'percent-encode the characters # / ? @ : % in user name and password, and name one host with a numeric port'
  throw new DsnError(`the address cannot be read as a URL; ${hint}`)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new DsnError('the address has a "%" that starts no percent-encoding; write %25 for a plain percent sign')
  }
}

function integer(name: string, text: string): number | undefined {
  if (text === '') return undefined
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new DsnError(`${name} is not a number from 0 to 65535`)
  return Number(text)
}

function seconds(text: string | undefined): number | undefined {
  if (text === undefined || text === '0') return undefined
  if (!/^\d{1,6}$/.test(text)) throw new DsnError('connect_timeout is not a whole number of seconds')
  return Number(text) * 1000
}
