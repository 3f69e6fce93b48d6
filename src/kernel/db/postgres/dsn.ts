import { parseUrl } from '../../base/url.ts'
import { DsnError } from './dsn-error.ts'
import { cutHosts, decode, type Host, readHosts } from './dsn-hosts.ts'
import { type PoolSettings, parsePoolSettings } from './dsn-pool.ts'

export { DsnError } from './dsn-error.ts'

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
  /** at least one; the first that can write is used, and the next once it cannot any more */
  hosts: Host[]
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
/** Parameters of libpq and pgx that mean nothing to the server and have no counterpart here. */
const IGNORED = new Set([
  'load_balance_hosts',
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

/** What pgx and libpq look up elsewhere; passed on, the server would refuse it as an unknown setting. */
const ELSEWHERE = new Set(['service', 'servicefile', 'passfile', 'hostaddr', 'requirepeer'])
/** All of these mean the same here: no answer comes from a server that cannot write. */
const WRITABLE = new Set(['any', 'read-write', 'primary', 'prefer-standby'])

/**
 * Parses `memory`, `pglite://DIR` and `postgres://…` with the query parameters that Kratos accepts.
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
  const { list, url } = readUrl(dsn)
  // of a repeated parameter the first counts, as in pgx
  const query = new Map([...url.searchParams].reverse())
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
    hosts: readHosts(list, take('host'), take('port')),
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
  requireWritable(take('target_session_attrs') ?? 'read-write')
  for (const [name, value] of query) {
    if (name.startsWith('pool_')) throw new DsnError(`${name} is not known; the size of the pool is max_conns`)
    if (ELSEWHERE.has(name)) throw new DsnError(`${name} is not supported; write its values into the address`)
    if (IGNORED.has(name)) warnings.push(`dsn: parameter ${name} has no effect`)
    else if (/^[a-z_][a-z0-9_.]*$/i.test(name)) result.runtime[name] = value
    else throw new DsnError('a query parameter has a name that no setting of the server can have')
  }
  return result
}

function readUrl(dsn: string): { list: string; url: URL } {
  const { list, url: text } = cutHosts(dsn)
  const url = parseUrl(text)
  if (url) return { list, url }
  throw new DsnError(
    'the address cannot be read as a URL; percent-encode the characters # / ? @ : % in user name and password',
  )
}

function requireWritable(attributes: string): void {
  if (WRITABLE.has(attributes)) return
  const known = attributes === 'read-only' || attributes === 'standby'
  throw new DsnError(
    known
      ? `target_session_attrs=${attributes} asks for a server that cannot write; use read-write, or leave it away`
      : 'target_session_attrs is not one of any, read-write, primary, prefer-standby',
  )
}

function seconds(text: string | undefined): number | undefined {
  if (text === undefined || text === '0') return undefined
  if (!/^\d{1,6}$/.test(text)) throw new DsnError('connect_timeout is not a whole number of seconds')
  return Number(text) * 1000
}
