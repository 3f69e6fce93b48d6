import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { formatTime } from '../src/kernel/base/clock.ts'
import type { TokenMode } from '../src/kernel/crypto/tokens.ts'
import { loadMeta } from '../src/kernel/db/meta.ts'
import { migrateUp, migrationStatus } from '../src/kernel/db/migrations/migrate.ts'
import { openDb } from '../src/kernel/db/open.ts'
import { freePort } from '../test/helpers/free-port.ts'
import { startPostgres } from '../test/helpers/postgres.ts'
import { type Running, root, start } from './processes.ts'
import type { Tables } from './statements.ts'

/** A Postgres with fsync, as a real one. The flags are those of `postgres -c`. */
export async function openPostgres(sharedBuffers: string, flags: string[] = []) {
  return startPostgres(['unix_socket_directories=', 'max_connections=400', `shared_buffers=${sharedBuffers}`, ...flags])
}

/** Another database in the same Postgres. */
export async function createDatabase(dsn: string, name: string): Promise<string> {
  const db = new pg.Client({ connectionString: dsn })
  await db.connect()
  await db.query(`create database ${name}`)
  await db.end()
  const url = new URL(dsn)
  url.pathname = `/${name}`
  return url.href
}

/** Brings a database to the present state; one of Kratos is adopted. */
export async function migrate(dsn: string, tokens?: 'plain'): Promise<Tables> {
  const db = await openDb(dsn)
  try {
    await migrateUp(db)
    const { kind } = await migrationStatus(db)
    const shared = kind === 'adopted'
    const now = formatTime(Date.now() * 1000)
    const meta = await loadMeta(db, { kind: shared ? 'adopted' : 'owned', tokens, now, random: randomBytes })
    if (meta.tokens === 'hardening') throw new Error('the tokens of this database are being hashed; give an empty one')
    return { nid: meta.nid, tokens: meta.tokens satisfies TokenMode, shared }
  } finally {
    await db.close()
  }
}

export interface Server extends Running {
  name: string
  host: string
  port: number
}

export interface ServerOptions {
  dsn: string
  secret: string
  /** default: what the program itself prefers */
  hashers?: object
  /** of our server only */
  workers?: number
}

/** Starts this project's server, from `dist`, on free ports. */
export function startLethe(options: ServerOptions): Promise<Server> {
  const { workers = 1 } = options
  const several = workers > 1 ? ['--workers', String(workers)] : []
  return startServer('lethe', process.execPath, ['dist/cli.js', 'serve', ...several], options)
}

/** Starts an executable of Kratos, on free ports, with the same configuration. */
export function startKratos(program: string, options: ServerOptions): Promise<Server> {
  return startServer('kratos', program, ['serve'], options)
}

async function startServer(name: string, command: string, args: string[], options: ServerOptions): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), 'lethe-bench-'))
  try {
    const port = await freePort()
    const config = join(dir, 'kratos.json')
    writeFileSync(config, JSON.stringify(configuration(options, port, await freePort())))
    const ready = `http://127.0.0.1:${port}/health/ready`
    // As many logins wait as there are connections: the workload is to measure them, not their refusal.
    const env = { SQA_OPT_OUT: 'true', DISABLE_TELEMETRY: 'true', LETHE_HASHING_QUEUE: '1000' }
    return { name, host: '127.0.0.1', port, ...(await start(command, [...args, '-c', config], env, ready)) }
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** What is common to all servers of a run. */
export function configuration({ dsn, secret, hashers }: ServerOptions, port: number, adminPort: number): object {
  const at = (port: number) => ({ host: '127.0.0.1', port, base_url: `http://127.0.0.1:${port}/` })
  return {
    dsn,
    serve: { public: at(port), admin: at(adminPort) },
    secrets: { cookie: [secret] },
    log: { level: 'error' },
    ...(hashers && { hashers }),
    selfservice: {
      default_browser_return_url: 'http://127.0.0.1:4455/',
      methods: { password: { enabled: true, config: { haveibeenpwned_enabled: false } } },
    },
    identity: {
      default_schema_id: 'default',
      schemas: [{ id: 'default', url: `file://${join(root, 'config/identity.default.schema.json')}` }],
    },
  }
}
