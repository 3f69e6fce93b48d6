import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DsnError, type PostgresDsn, parseDsn } from '../../../src/kernel/db/postgres/dsn.ts'
import { tlsOptions } from '../../../src/kernel/db/postgres/tls.ts'

function postgres(dsn: string): PostgresDsn {
  const parsed = parseDsn(dsn)
  assert.equal(parsed.kind, 'postgres')
  return parsed as PostgresDsn
}

describe('the address of the database', () => {
  test('names host, port, user, password and database', () => {
    const p = postgres('postgresql://us%40er:p%23%2Fw@db.example:6543/my%20base?sslmode=disable')
    assert.deepEqual(
      [p.hosts, p.user, p.password, p.database, p.tls.mode],
      [[{ host: 'db.example', port: 6543 }], 'us@er', 'p#/w', 'my base', 'disable'],
    )
  })

  test('may name them as parameters, which win', () => {
    const p = postgres('postgres://host/db?user=me&password=secret&port=7&dbname=other&host=/run/pg')
    assert.deepEqual(
      [p.hosts, p.user, p.password, p.database],
      [[{ host: '/run/pg', port: 7 }], 'me', 'secret', 'other'],
    )
  })

  test('leaves out what the environment or the driver fills in', () => {
    const p = postgres('postgres:///')
    assert.deepEqual(p.hosts, [{ host: undefined, port: undefined }])
    assert.deepEqual([p.user, p.password, p.database], Array(3).fill(undefined))
  })

  const hosts: [string, string][] = [
    ['u:p@[::1]:5/db', '::1|5'],
    ['u:p@/db?host=/cloudsql/project:region:db', '/cloudsql/project:region:db|'],
    ['u:p@%2Frun%2Fpostgresql/db', '/run/postgresql|'],
    ['/db?host=/run/pg&port=6432', '/run/pg|6432'],
    ['?host=h', 'h|'],
    [':5433/db', '|5433'],
    ['u:p@h1:5432,h2:5433/db?target_session_attrs=read-write', 'h1|5432 h2|5433'],
    ['u:p@h1,h2:6,[fd00::1]:7,[fd00::2]/db', 'h1| h2|6 fd00::1|7 fd00::2|'],
    ['h1:1,h2:2/db?port=9', 'h1|9 h2|9'],
    ['/db?host=a,b,/run/c&port=1,2,3', 'a|1 b|2 /run/c|3'],
    // twice: the first counts, as in pgx
    ['/db?host=a&host=b', 'a|'],
    ['u:p%40%2C%2Fw@h1,h2', 'h1| h2|'],
    ['u:p@w@h1,h2/db', 'h1| h2|'],
  ]
  for (const [rest, expected] of hosts) {
    test(`asks ${expected} for postgres://${rest}`, () => {
      const { hosts } = postgres(`postgres://${rest}`)
      assert.equal(hosts.map(({ host, port }) => `${host ?? ''}|${port ?? ''}`).join(' '), expected)
    })
  }

  test('takes any wish for a server that writes', () => {
    for (const wish of ['any', 'read-write', 'primary', 'prefer-standby'])
      assert.deepEqual(postgres(`postgres://h/d?target_session_attrs=${wish}`).warnings, [], wish)
  })

  test('has the four parameters of the pool, which do not reach the server', () => {
    const p = postgres('postgres://h/d?max_conns=20&max_idle_conns=4&max_conn_lifetime=1h30m&max_conn_idle_time=1.5s')
    assert.deepEqual(p.pool, {
      maxConnections: 20,
      maxIdleConnections: 4,
      maxLifetimeMs: 5_400_000,
      maxIdleTimeMs: 1500,
    })
    assert.deepEqual([p.runtime, p.warnings], [{}, []])
  })

  for (const bad of ['max_conns=abc', 'max_conns=0', 'max_conns=-1', 'max_conn_lifetime=1x', 'max_conn_idle_time=5']) {
    test(`${bad} is replaced by the default and named in a warning`, () => {
      const p = postgres(`postgres://h/d?${bad}`)
      assert.ok(Object.values(p.pool).every((value) => value === undefined))
      assert.equal(p.warnings.length, 1)
      assert.ok(p.warnings[0]!.includes(bad.split('=')[0]!))
    })
  }

  test('hands other parameters to the server as settings', () => {
    const p = postgres('postgres://h/d?search_path=a,b&application_name=x&connect_timeout=7&channel_binding=prefer')
    assert.deepEqual(p.runtime, { search_path: 'a,b', application_name: 'x' })
    assert.equal(p.connectTimeoutMs, 7000)
    assert.deepEqual(p.warnings, ['dsn: parameter channel_binding has no effect'])
  })

  test('can ask for no prepared statements, as pgx reads it', () => {
    assert.equal(postgres('postgres://h/d?default_query_exec_mode=simple_protocol').prepared, false)
    assert.equal(postgres('postgres://h/d').prepared, true)
  })

  test('memory and pglite:// are the embedded database', () => {
    assert.deepEqual(parseDsn('memory'), { kind: 'pglite', dataDir: undefined })
    assert.deepEqual(parseDsn('pglite://./data'), { kind: 'pglite', dataDir: './data' })
    assert.deepEqual(parseDsn('pglite:///var/lib/x'), { kind: 'pglite', dataDir: '/var/lib/x' })
  })

  const refused: [string, RegExp][] = [
    ['mysql://u:pw-secret@tcp(h:3306)/d', /MySQL/],
    ['cockroach://u:pw-secret@h/d', /CockroachDB/],
    ['sqlite:///tmp/x?_fk=true', /SQLite/],
    ['host=h port=5432 dbname=d password=pw-secret', /host=/],
    ['mongodb://u:pw-secret@h', /unknown kind/],
    ['', /unknown kind/],
    ['pglite://', /folder/],
    ['postgres://u:pw#secret@h/d', /percent-encode/],
    ['postgres://u:pw-secret@h1:1,:2/d', /empty entry/],
    ['postgres://u:pw-secret@h1,,h2/d', /empty entry/],
    ['postgres://u:pw-secret@h1,h2/d?port=1,2,3', /3 ports for 2 hosts/],
    [`postgres://u:pw-secret@${Array(17).fill('h').join(',')}/d`, /more than 16/],
    ['postgres://u:pw-secret/more@h/d', /port.*percent-encode/],
    ['postgres://u:pw-secret@h:x/d', /port/],
    ['postgres:u:pw-secret@h/d', /"\/\/" is missing/],
    ['postgres://u:pw-secret@h/d?target_session_attrs=standby', /cannot write/],
    ['postgres://u:pw-secret@h/d?target_session_attrs=best', /not one of/],
    ['postgres://u:pw-secret@h/d?service=mine', /service is not supported/],
    ['postgres://u:pw%secret@h/d', /%25/],
    ['postgres://u:pw-secret@h/d?sslmode=maybe', /sslmode/],
    ['postgres://u:pw-secret@h/d?port=pw-secret', /port/],
    ['postgres://u:pw-secret@h/d?connect_timeout=soon', /connect_timeout/],
    ['postgres://u:pw-secret@h/d?pool_min_conns=3', /pool_min_conns/],
    ['postgres://u:pw-secret@h/d?a%20b=3', /name/],
  ]
  for (const [dsn, words] of refused) {
    test(`refuses ${dsn.replaceAll(/pw.?secret/g, '…') || 'nothing'} with words that help and no password`, () => {
      assert.throws(
        () => parseDsn(dsn),
        (error: unknown) =>
          error instanceof DsnError && words.test(error.message) && !/secret/.test(error.message + error.stack),
      )
    })
  }
})

describe('TLS by sslmode, as libpq has it', () => {
  const options = (query: string, host = 'h') => tlsOptions(postgres(`postgres://h/d?${query}`).tls, host)
  const rootCert = new URL('../../../package.json', import.meta.url).pathname

  test('disable and unix sockets: none', () => {
    assert.equal(options('sslmode=disable'), undefined)
    assert.equal(options('sslmode=require', '/run/postgresql'), undefined)
  })

  test('require: encrypted, unchecked; with a root certificate the chain is checked', () => {
    assert.equal(options('sslmode=require')?.rejectUnauthorized, false)
    const checked = options(`sslmode=require&sslrootcert=${rootCert}`)
    assert.equal(checked?.rejectUnauthorized, true)
    assert.equal(checked?.checkServerIdentity?.('h', {} as never), undefined)
  })

  test('verify-ca checks the chain, verify-full the name too', () => {
    assert.equal(options('sslmode=verify-ca')?.rejectUnauthorized, true)
    assert.ok(options('sslmode=verify-ca')?.checkServerIdentity)
    assert.equal(options('sslmode=verify-full')?.rejectUnauthorized, true)
    assert.equal(options('sslmode=verify-full')?.checkServerIdentity, undefined)
  })

  test('a file that is not there, or half a client certificate, is refused', () => {
    assert.throws(() => options('sslmode=verify-ca&sslrootcert=/not/there.pem'), /sslrootcert.*\/not\/there\.pem/)
    assert.throws(() => options(`sslmode=require&sslcert=${rootCert}`), /sslkey/)
  })
})
