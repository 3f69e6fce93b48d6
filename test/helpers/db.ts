import { createHash, randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type Db, type Queryable, sql } from '../../src/kernel/db/client.ts'
import { readMigrations } from '../../src/kernel/db/migrations/files.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { type OpenOptions, openDb } from '../../src/kernel/db/open.ts'
import { openPglite } from '../../src/kernel/db/pglite/client.ts'
import { testServerUrl } from './postgres.ts'
import { type Spares, spareDatabases } from './spare-databases.ts'

/** The part of node:test's context that is needed: everything opened is closed when the test ends. */
export interface Scope {
  after(work: () => Promise<void>): void
}

/** A scope that lasts longer than one test: for what all tests of a suite share. */
export function closingScope(): Scope & { close(): Promise<void> } {
  const endings: (() => Promise<void>)[] = []
  return {
    after: (work) => void endings.push(work),
    async close() {
      for (const work of endings.reverse()) await work()
    },
  }
}

export interface Backend {
  name: 'pglite' | 'postgres' | 'adopted postgres'
  /** a fresh, migrated database of its own */
  open(t: Scope, options?: OpenOptions): Promise<Db>
  /** a fresh one without a table */
  openEmpty(t: Scope, options?: OpenOptions): Promise<Db>
}

/** For what must hold on each, also in tables that Kratos made: `for (const backend of backends()) describe(…)`. */
export function backends(): Backend[] {
  return [pglite, postgres, adopted]
}

/** For what is about making the tables, or is the same whoever made them. */
export function ownedBackends(): Backend[] {
  return [pglite, postgres]
}

export const pglite: Backend = {
  name: 'pglite',
  open: (t, options = {}) => spareOr(t, options, sparePglite, migratedPglite),
  async openEmpty(t, options = {}) {
    pgliteEmpty ??= archive('empty', async () => {})
    return closing(t, await openPglite({ ...pgliteOptions(options), loadDataDir: await pgliteEmpty }))
  },
}

export const postgres: Backend = {
  name: 'postgres',
  open: (t, options = {}) => spareOr(t, options, sparePostgres, openPostgres),
  openEmpty: async (t, options = {}) => openAt(t, await createDatabase(t, { migrated: false }), options),
}

/** As Kratos's migrations leave a database, before anybody was registered; then adopted. */
export const adopted: Backend = {
  name: 'adopted postgres',
  open: (t, options = {}) => spareOr(t, options, spareAdopted, openAdopted),
  openEmpty: (t, options) => postgres.openEmpty(t, options),
}

const SCHEMA_MIGRATION = sql('test.schema_migration', `select to_regclass('schema_migration') is not null as found`)

/** Whether Kratos made the tables, so that stores must reckon with another writer. */
export async function isAdopted(db: Queryable): Promise<boolean> {
  return (await db.query<{ found: boolean }>(SCHEMA_MIGRATION))[0]!.found
}

/** Opens the address, and closes it before the database is dropped. */
export async function openAt(t: Scope, url: string, options: OpenOptions = {}): Promise<Db> {
  return closing(t, await openDb(url, { ...PATIENT, ...options }))
}

/** A machine may be slow, or asleep for a while: deadlines are those of the tests that are about deadlines. */
const PATIENT = { connectTimeoutMs: 60_000, acquireTimeoutMs: 60_000, statementTimeoutMs: 60_000 }

/** A database of its own on the test server, for tests that need several connections or processes; dropped at the end. */
export async function createDatabase(t: Scope, options: { migrated: boolean }): Promise<string> {
  if (!options.migrated) return databaseFrom(t, 'template0')
  return databaseFrom(t, await migratedTemplate())
}

async function migratedTemplate(): Promise<string> {
  postgresTemplate ??= template(await migrationsKey(), migrateUp)
  return postgresTemplate
}

async function databaseFrom(t: Scope, source: string): Promise<string> {
  const name = `lethe_test_${randomBytes(8).toString('hex')}`
  await onServer((server) => server.query(`create database ${name} template ${source}`))
  atEnd(t, () => onServer((server) => server.query(`drop database if exists ${name} with (force)`)))
  return urlOf(name)
}

/** A database of Kratos v26.2.0 with identities and sessions, as recorded; opened, not yet adopted. */
export async function openKratos(t: Scope, options: OpenOptions = {}): Promise<Db> {
  return openAt(t, await createKratosDatabase(t), options)
}

/** The same, as an address. */
export async function createKratosDatabase(t: Scope): Promise<string> {
  const dump = await kratosDump()
  kratosTemplate ??= template(`kratos_${digestOf(dump)}`, (db) => db.script(dump))
  return databaseFrom(t, await kratosTemplate)
}

const kratosDump = () => readFile(new URL('../fixtures/live-kratos.sql', import.meta.url), 'utf8')

async function adoptedKey(): Promise<string> {
  return `${await migrationsKey()}_${digestOf(await kratosDump())}`
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)

/**
 * A user of the test server without any rights; dropped at the end. To be asked for before the database it works in,
 * since a user that still has rights somewhere cannot be dropped.
 */
export async function createRole(t: Scope): Promise<{ name: string; at(url: string): string }> {
  const name = `lethe_test_${randomBytes(8).toString('hex')}`
  await onServer((server) => server.query(`create role ${name} login password 'test'`))
  atEnd(t, () => onServer((server) => server.query(`drop role ${name}`)))
  return {
    name,
    at(url) {
      const own = new URL(url)
      own.username = name
      return own.href
    },
  }
}

const sparePglite = spareDatabases(() => migratedPglite({}))
const sparePostgres = spareDatabases(() => openPostgres({}))
const spareAdopted = spareDatabases(() => openAdopted({}))

/** With options of its own a test gets a database of its own. */
async function spareOr(
  t: Scope,
  options: OpenOptions,
  spares: Spares,
  make: (options: OpenOptions) => Promise<Db>,
): Promise<Db> {
  if (Object.keys(options).length > 0) return closing(t, await make(options))
  const db = await spares.take()
  return closing(t, { ...db, close: () => spares.putBack(db) })
}

async function migratedPglite(options: OpenOptions): Promise<Db> {
  pgliteArchive ??= archive(`migrated-${await migrationsKey()}`, migrateUp)
  return openPglite({ ...pgliteOptions(options), loadDataDir: await pgliteArchive })
}

const openPostgres = async (options: OpenOptions): Promise<Db> => openCopy(await migratedTemplate(), options)

async function openAdopted(options: OpenOptions): Promise<Db> {
  adoptedTemplate ??= template(`adopted_${await adoptedKey()}`, async (db) => {
    await db.script(await kratosDump())
    await db.script('truncate networks cascade')
    await migrateUp(db)
  })
  return openCopy(await adoptedTemplate, options)
}

/** A database of its own, dropped when it is closed. */
async function openCopy(source: string, options: OpenOptions): Promise<Db> {
  const scope = closingScope()
  const db = await openDb(await databaseFrom(scope, source), { ...PATIENT, ...options })
  return {
    ...db,
    async close() {
      await db.close()
      await scope.close()
    },
  }
}

let pgliteArchive: Promise<Blob> | undefined
let pgliteEmpty: Promise<Blob> | undefined
let postgresTemplate: Promise<string> | undefined
let adoptedTemplate: Promise<string> | undefined
let kratosTemplate: Promise<string> | undefined

/** node:test runs `after` in the order of registration; a pool must be closed before its database is dropped. */
const endings = new WeakMap<Scope, (() => Promise<unknown>)[]>()
function atEnd(t: Scope, work: () => Promise<unknown>): void {
  const known = endings.get(t)
  if (known) {
    known.push(work)
    return
  }
  const list = [work]
  endings.set(t, list)
  t.after(async () => {
    for (const ending of list.reverse()) await ending()
  })
}

function closing(t: Scope, db: Db): Db {
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await db.close()
  }
  atEnd(t, close)
  return { ...db, close }
}

function pgliteOptions({ acquireTimeoutMs, onStatement }: OpenOptions) {
  return { acquireTimeoutMs: acquireTimeoutMs ?? PATIENT.acquireTimeoutMs, onStatement }
}

async function migrationsKey(): Promise<string> {
  const migrations = await readMigrations()
  return createHash('sha256').update(JSON.stringify(migrations)).digest('hex').slice(0, 16)
}

/** Starting PGlite from nothing takes seconds, so the outcome is kept for other tests and test processes. */
async function archive(name: string, prepare: (db: Db) => Promise<unknown>): Promise<Blob> {
  const { version } = JSON.parse(
    await readFile(new URL('../../node_modules/@electric-sql/pglite/package.json', import.meta.url), 'utf8'),
  )
  const file = join(tmpdir(), `lethe-pglite-${version}-${name}.tar`)
  const kept = await readFile(file).catch(() => undefined)
  if (kept) return new Blob([kept])
  const db = await openPglite()
  await prepare(db)
  const made = await db.dump()
  await db.close()
  const partial = `${file}.${randomBytes(4).toString('hex')}`
  await writeFile(partial, Buffer.from(await made.arrayBuffer()))
  await rename(partial, file)
  return made
}

/** One template for all test processes on the server; a lock on the server decides who makes it. */
async function template(key: string, prepare: (db: Db) => Promise<unknown>): Promise<string> {
  const name = `lethe_template_${key}`
  await onServer(async (server) => {
    await server.query('select pg_advisory_lock(465558595685)')
    const { rowCount } = await server.query('select 1 from pg_database where datname = $1', [name])
    if (rowCount) return
    await server.query(`drop database if exists ${name}_partial with (force)`)
    await server.query(`create database ${name}_partial template template0`)
    const db = await openDb(await urlOf(`${name}_partial`))
    await prepare(db)
    await db.close()
    await server.query(`alter database ${name}_partial rename to ${name}`)
  })
  return name
}

async function urlOf(database: string): Promise<string> {
  const url = new URL(await testServerUrl())
  url.pathname = `/${database}`
  return url.href
}

async function onServer<T>(work: (server: pg.Client) => Promise<T>): Promise<T> {
  const server = new pg.Client({ connectionString: await testServerUrl() })
  server.on('error', () => {})
  await server.connect()
  try {
    return await work(server)
  } finally {
    await server.end()
  }
}
