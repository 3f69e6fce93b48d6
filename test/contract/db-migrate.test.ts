import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { HOME_SCHEMA } from '../../src/kernel/db/home-schema.ts'
import { MIGRATIONS_DIR, readMigrations } from '../../src/kernel/db/migrations/files.ts'
import { MigrationError, migrateUp, migrationStatus } from '../../src/kernel/db/migrations/migrate.ts'
import { createDatabase, openAt, openKratos, ownedBackends, postgres, type Scope } from '../helpers/db.ts'
import { structureOf } from '../helpers/structure.ts'

const ALL = (await readMigrations()).map(({ version, name }) => ({ version, name }))
const OWN_ONLY = (await readMigrations()).filter((m) => !m.owned).map(({ version, name }) => ({ version, name }))
const next = String(ALL.length + 1).padStart(4, '0')

/** A copy of the folder, so that a test can change and add files. */
async function folder(t: TestContext, added: Record<string, string> = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'lethe-migrations-'))
  t.after(() => rm(dir, { recursive: true }))
  await cp(MIGRATIONS_DIR, dir, { recursive: true })
  for (const [name, text] of Object.entries(added)) await writeFile(join(dir, name), text)
  return dir
}

async function exists(db: Db, table: string): Promise<boolean> {
  const [row] = await db.query<{ found: string | null }>(sql('test.exists', 'select to_regclass($1)::text as found'), [
    table,
  ])
  return row!.found !== null
}

for (const backend of ownedBackends()) {
  describe(`contract=migrations on ${backend.name}`, () => {
    test('an empty database: all pending, then all applied in order, then nothing to do', async (t) => {
      const db = await backend.openEmpty(t)
      const before = await migrationStatus(db)
      assert.deepEqual([before.kind, before.pending, before.problem], ['empty', ALL.length, undefined])
      assert.deepEqual(
        before.entries,
        ALL.map((m) => ({ ...m, status: 'Pending' })),
      )
      assert.equal(await exists(db, 'lethe.migrations'), false, 'asking changes nothing')
      const applied: object[] = []
      assert.equal(await migrateUp(db, { onApplied: (m) => applied.push(m) }), ALL.length)
      assert.deepEqual(applied, ALL)
      const after = await migrationStatus(db)
      assert.deepEqual([after.kind, after.pending, after.problem], ['owned', 0, undefined])
      assert.deepEqual(
        after.entries,
        ALL.map((m) => ({ ...m, status: 'Applied' })),
      )
      assert.equal(await migrateUp(db), 0)
    })

    test('a migration that fails leaves no trace, and works once it is put right', async (t) => {
      const db = await backend.open(t)
      const bad = await folder(t, { [`${next}-bad.sql`]: 'create table lethe.extra (id int); select 1/0;' })
      await assert.rejects(migrateUp(db, { dir: bad }), /22012/)
      assert.equal(await exists(db, 'lethe.extra'), false)
      assert.equal((await migrationStatus(db, { dir: bad })).pending, 1)
      const good = await folder(t, { [`${next}-good.sql`]: 'create table lethe.extra (id int);' })
      assert.equal(await migrateUp(db, { dir: good }), 1)
      assert.equal(await exists(db, 'lethe.extra'), true)
    })

    test('one that cannot run in a transaction runs without', async (t) => {
      const db = await backend.open(t)
      const text = '--! no-transaction\ncreate index concurrently if not exists extra_idx on networks (created_at)'
      const dir = await folder(t, { [`${next}-index.sql`]: text })
      assert.equal(await migrateUp(db, { dir }), 1)
      assert.equal((await migrationStatus(db, { dir })).pending, 0)
      assert.equal(await exists(db, 'extra_idx'), true)
    })

    test('a changed file is refused, and nothing is applied', async (t) => {
      const db = await backend.open(t)
      const dir = await folder(t, { [`${next}-more.sql`]: 'create table lethe.extra (id int)' })
      const first = (await readdir(dir)).sort()[0]!
      await writeFile(join(dir, first), '--! owned\nselect 1')
      await assert.rejects(migrateUp(db, { dir }), (error: unknown) => {
        return error instanceof MigrationError && error.message.includes(first.replace('.sql', ''))
      })
      assert.match((await migrationStatus(db, { dir })).problem ?? '', /differs/)
      assert.equal(await exists(db, 'lethe.extra'), false)
    })

    test('line ends of Windows do not change a file', async (t) => {
      const db = await backend.open(t)
      const dir = await folder(t)
      for (const [index, { sql: text }] of (await readMigrations()).entries()) {
        await writeFile(join(dir, (await readdir(dir)).sort()[index]!), text.replaceAll('\n', '\r\n'))
      }
      assert.equal(await migrateUp(db, { dir }), 0)
    })

    test('a newer version that breaks with the old is refused by the old, another one is not', async (t) => {
      const db = await backend.open(t)
      const gentle = { [`${next}-gentle.sql`]: 'create table lethe.extra (id int)' }
      assert.equal(await migrateUp(db, { dir: await folder(t, gentle) }), 1)
      assert.equal(await migrateUp(db), 0)
      const later = String(ALL.length + 2).padStart(4, '0')
      const harsh = { ...gentle, [`${later}-harsh.sql`]: '--! breaking\ndrop table lethe.extra' }
      assert.equal(await migrateUp(db, { dir: await folder(t, harsh) }), 1)
      await assert.rejects(
        migrateUp(db),
        (e: unknown) => e instanceof MigrationError && /newer version/.test(e.message),
      )
      assert.match((await migrationStatus(db)).problem ?? '', /newer version/)
    })

    test('tables of another program are not touched', async (t) => {
      const db = await backend.openEmpty(t)
      await db.script('create table sessions (sid text)')
      await assert.rejects(migrateUp(db), (e: unknown) => e instanceof MigrationError && /sessions/.test(e.message))
      const status = await migrationStatus(db)
      assert.deepEqual([status.kind, status.pending], ['foreign', 0])
      assert.equal(await exists(db, 'lethe.migrations'), false)
    })

    test('another program with a list of migrations of the same name is not touched', async (t) => {
      const db = await backend.openEmpty(t)
      await db.script(
        `create table schema_migration (version varchar(48) not null); insert into schema_migration values ('20200101000000000000')`,
      )
      await assert.rejects(
        migrateUp(db),
        (e: unknown) => e instanceof MigrationError && /another program/.test(e.message),
      )
      assert.equal((await migrationStatus(db)).kind, 'foreign')
      assert.equal(await exists(db, 'lethe.migrations'), false)
    })
  })
}

describe('migrations beside others', () => {
  test('the database of a Kratos is adopted: its tables stay as they are', async (t) => {
    const db = await openKratos(t)
    const before = await structureOf(db)
    const pending = await migrationStatus(db)
    assert.deepEqual([pending.kind, pending.pending], ['adopted', OWN_ONLY.length])
    assert.deepEqual(
      pending.entries,
      OWN_ONLY.map((m) => ({ ...m, status: 'Pending' })),
    )
    assert.equal(await migrateUp(db), OWN_ONLY.length)
    const status = await migrationStatus(db)
    assert.deepEqual([status.kind, status.pending, status.problem], ['adopted', 0, undefined])
    const after = await structureOf(db)
    for (const [table, lines] of before) assert.deepEqual(after.get(table), lines)
    const added = [...after.keys()].filter((table) => !before.has(table))
    assert.ok(added.length > 0 && added.every((table) => table.startsWith('lethe.')))
    assert.equal(await migrateUp(db), 0)
  })

  test('the schema lethe left behind without the tables of Kratos is not taken for an empty database', async (t) => {
    const db = await openKratos(t)
    await migrateUp(db)
    await db.script('drop schema public cascade; create schema public')
    assert.equal((await migrationStatus(db)).kind, 'foreign')
    await assert.rejects(migrateUp(db), MigrationError)
  })

  test('twenty at once: each migration is applied by one of them, and all succeed', async (t) => {
    const url = await createDatabase(t, { migrated: false })
    const nodes = await Promise.all(Array.from({ length: 20 }, () => openAt(t, url, { maxConnections: 2 })))
    const counts = await Promise.all(nodes.map((db) => migrateUp(db)))
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      ALL.length,
    )
    for (const db of nodes) assert.equal((await migrationStatus(db)).pending, 0)
  })

  test('limits of a statement do not end a migration, and hold again after it', async (t) => {
    const db = await postgres.open(t, { statementTimeoutMs: 100 })
    const dir = await folder(t, { [`${next}-slow.sql`]: 'select pg_sleep(1)' })
    assert.equal(await migrateUp(db, { dir }), 1)
    const [row] = await db.query(sql('test.limit', `select current_setting('statement_timeout') as limit`))
    assert.deepEqual(row, { limit: '100ms' })
  })

  test('a database made as a role named like our schema is served as any other, with no more rights than it needs', async (t) => {
    const { as, admin } = await withRoles(t)
    const maker = await as('lethe')
    await migrateUp(maker)
    assert.deepEqual([await exists(admin, 'public.sessions'), await exists(admin, 'lethe.sessions')], [true, false])
    await grantUse(admin, 'public')
    for (const db of [maker, await as('lethe'), await as('app')]) {
      assert.deepEqual(await stateAndUse(db), ['owned', 0, undefined])
    }
  })

  test('one whose tables an earlier release put into the schema lethe, or that has them in a schema named like another role, is served too', async (t) => {
    for (const home of ['lethe', 'kratos']) {
      const { as, admin, url } = await withRoles(t)
      await admin.script(`create schema if not exists ${home}`)
      await migrateUp(await openAt(t, `${url}&search_path=${home === 'lethe' ? 'public' : home}`))
      if (home === 'lethe') {
        const tables = sql('test.tables', `select tablename from pg_tables where schemaname = 'public'`)
        for (const { tablename } of await admin.query(tables))
          await admin.script(`alter table public.${tablename} set schema lethe`)
      }
      await grantUse(admin, home)
      for (const role of ['lethe', 'app']) {
        assert.deepEqual(await stateAndUse(await as(role)), ['owned', 0, undefined], `${role} on ${home}`)
      }
    }
  })

  test('tables of Kratos in public are found by a role named like our schema', async (t) => {
    const { as, admin, url } = await withRoles(t)
    await migrateUp(await openAt(t, url))
    await admin.script('create table public.schema_migration (version varchar(48) not null)')
    await grantUse(admin, 'public')
    const db = await as('lethe')
    const [row] = await db.query(sql('test.home', `select ${HOME_SCHEMA} as home, current_schema() as first`))
    assert.deepEqual(row, { home: 'public', first: 'lethe' })
    assert.equal((await migrationStatus(db, { quick: true })).kind, 'adopted')
  })

  test('tables go where search_path says', async (t) => {
    const url = await createDatabase(t, { migrated: false })
    const admin = await openAt(t, url)
    await admin.script('create schema auth')
    const db = await openAt(t, `${url}&search_path=auth`)
    await migrateUp(db)
    assert.equal(await exists(db, 'auth.sessions'), true)
    assert.equal(await exists(db, 'public.sessions'), false)
    assert.equal((await migrationStatus(db)).kind, 'owned')
  })
})

/** A database of the role `lethe`, which may do all there, and a role `app`, which may do nothing yet. */
async function withRoles(t: Scope) {
  const url = await createDatabase(t, { migrated: false })
  const admin = await openAt(t, url)
  for (const role of ['lethe', 'app']) {
    await admin.script(
      `do $$ begin create role ${role} login password 'secret'; exception when duplicate_object or unique_violation then null; end $$`,
    )
  }
  const [row] = await admin.query<{ name: string }>(sql('test.name', 'select current_database() as name'))
  await admin.script(`alter database "${row!.name}" owner to lethe`)
  const as = (role: string) => {
    const address = new URL(url)
    address.username = role
    address.password = 'secret'
    return openAt(t, address.href)
  }
  return { as, admin, url }
}

async function grantUse(admin: Db, home: string): Promise<void> {
  for (const schema of new Set([home, 'lethe'])) {
    await admin.script(`grant usage on schema ${schema} to app, lethe;
      grant select, insert, update, delete on all tables in schema ${schema} to app, lethe`)
  }
}

/** What it is taken for, and whether the statements of the stores find its tables. */
async function stateAndUse(db: Db) {
  await db.query(sql('test.use', 'select s.id from sessions s join identities i on i.id = s.identity_id'))
  const { kind, pending, problem } = await migrationStatus(db)
  return [kind, pending, problem]
}

describe('the files of migrations', () => {
  const refused: [string, string, RegExp][] = [
    [`${next}_under.sql`, '', /name must look like/],
    [`${String(ALL.length + 2).padStart(4, '0')}-gap.sql`, '', /next number is/],
    [`${next}-typo.sql`, '--! braking', /unknown header "--! braking"/],
  ]
  for (const [name, text, words] of refused) {
    test(`${name} ${text} is refused`, async (t) => {
      await assert.rejects(readMigrations(await folder(t, { [name]: text })), words)
    })
  }
})
