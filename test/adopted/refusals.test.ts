import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp, migrationStatus } from '../../src/kernel/db/migrations/migrate.ts'
import { createReadiness } from '../../src/ops/readiness.ts'
import { folder } from '../cli/folder.ts'
import { runHere } from '../cli/in-process.ts'
import { createDatabase, createKratosDatabase, createRole, openAt, type Scope } from '../helpers/db.ts'
import { liveConfig } from '../helpers/live-kratos.ts'
import { printStructure, structureOf } from '../helpers/structure.ts'

const LATER = '20260301000000000000'
const ROWS = sql('test.migration_rows', 'select version from schema_migration order by version')

/** A file with the configuration of the recorded Kratos, on ports that must stay closed. */
async function setup(t: Scope, DSN: string) {
  const file = `${await folder(t)}/kratos.json`
  await writeFile(file, JSON.stringify(liveConfig()))
  const guard = await openPorts()
  t.after(guard.close)
  return { file, env: { DSN, ...guard.env } }
}

/** Holds both ports itself: had the program tried to open one, it would say so. */
async function openPorts() {
  const servers = [createServer(), createServer()]
  const ports = await Promise.all(
    servers.map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return String((server.address() as { port: number }).port)
    }),
  )
  return {
    env: {
      ...{ SERVE_PUBLIC_HOST: '127.0.0.1', SERVE_PUBLIC_PORT: ports[0]! },
      ...{ SERVE_ADMIN_HOST: '127.0.0.1', SERVE_ADMIN_PORT: ports[1]! },
    },
    async close() {
      for (const server of servers) server.close()
    },
  }
}

async function isRefused(t: Scope, url: string, words: RegExp) {
  const db = await openAt(t, url)
  const before = [printStructure(await structureOf(db)), await schemas(db)]
  const { file, env } = await setup(t, url)
  for (const args of [
    ['migrate', 'sql', 'up', '-e', '--yes'],
    ['serve', '-c', file],
    ['serve', '-c', file, '--migrate'],
  ]) {
    const { code, stderr, stdout } = await runHere(args, { env })
    assert.equal(code, 1, `${args.join(' ')}: ${stdout}`)
    assert.match(stderr, words, args.join(' '))
    assert.doesNotMatch(stderr, /\n {4}at |already in use/, 'says what to do, and came before any port')
  }
  assert.deepEqual([printStructure(await structureOf(db)), await schemas(db)], before, 'nothing was written')
}

const schemas = (db: Db) => db.query(sql('test.schemas', 'select nspname from pg_namespace order by 1'))

const CASES: [name: string, change: string, words: RegExp][] = [
  [
    'an older Kratos',
    `delete from schema_migration where version > '20250101'`,
    /migrations end at 2024\d+, those of v26\.2\.0 at 20260114175904000000; run "kratos migrate sql up"/,
  ],
  ['a newer Kratos', `insert into schema_migration values ('${LATER}')`, /newer Kratos .*20260301.*--newer-kratos/],
  [
    'a half-applied migration: a column',
    'alter table sessions drop column logout_token',
    /sessions\.logout_token is missing/,
  ],
  [
    'a half-applied migration: a type',
    'alter table sessions alter column expires_at type timestamptz',
    /sessions\.expires_at is timestamp with time zone and should be timestamp without time zone/,
  ],
  ['a half-applied migration: a table', 'drop table session_devices', /the table session_devices is missing/],
  [
    'a half-applied migration: an index',
    'drop index identity_credential_identifiers_identifier_nid_type_uq_idx',
    /unique index on identity_credential_identifiers \(identifier, identity_credential_type_id, nid\) is missing/,
  ],
  [
    'a restore without its keys',
    'alter table sessions drop constraint sessions_identity_id_fkey',
    /key from sessions\.identity_id to identities/,
  ],
  [
    'a column shorter than what is written',
    'alter table session_devices alter column location type varchar(20)',
    /location is/,
  ],
  [
    'a column that a newer Kratos wants filled',
    'alter table sessions add column ring text; update sessions set ring = id; alter table sessions alter column ring set not null',
    /sessions\.ring is new and must be filled/,
  ],
  [
    'another program with such a list',
    'drop schema public cascade; create schema public; create table schema_migration (version varchar(48) not null)',
    /another program/,
  ],
  ['a list of another form', 'alter table schema_migration rename column version to id', /another program/],
]

describe('a database that cannot be shared is refused before a port opens, and nothing is written', () => {
  for (const [name, change, words] of CASES) {
    test(name, async (t) => {
      const url = await createKratosDatabase(t)
      const db = await openAt(t, url)
      await db.script(change)
      await isRefused(t, url, words)
    })
  }

  test('tables of another program', async (t) => {
    const url = await createDatabase(t, { migrated: false })
    await (await openAt(t, url)).script('create table sessions (sid varchar primary key, sess json)')
    await isRefused(t, url, /tables named sessions that are neither ours nor Kratos's/)
  })

  const RIGHTS: [name: string, given: (role: string) => string, words: RegExp][] = [
    [
      'a user who may not create a schema',
      (role) => `grant all on all tables in schema public to ${role}`,
      /may not create the schema lethe; grant create on the database/,
    ],
    [
      'a user who may only read',
      (role) => `grant select on all tables in schema public to ${role}`,
      /grant insert, update, delete on sessions to it/,
    ],
    ['a user who may not even read', () => 'select 1', /lacks rights/],
  ]
  for (const [name, given, words] of RIGHTS) {
    test(name, async (t) => {
      const role = await createRole(t)
      const url = await createKratosDatabase(t)
      const db = await openAt(t, url)
      await db.script(given(role.name))
      const { file, env } = await setup(t, role.at(url))
      for (const args of [
        ['migrate', 'sql', 'up', '-e', '--yes'],
        ['serve', '-c', file, '--migrate'],
      ]) {
        const { code, stderr } = await runHere(args, { env })
        assert.equal(code, 1)
        assert.match(stderr, words)
      }
      assert.ok(!(await schemas(db)).some(({ nspname }) => nspname === 'lethe'))
    })
  }

  test('a server whose user was forgotten when rights on the schema lethe were given', async (t) => {
    const role = await createRole(t)
    const url = await createKratosDatabase(t)
    const db = await openAt(t, url)
    await migrateUp(db)
    await db.script(`grant all on all tables in schema public to ${role.name}`)
    const { file, env } = await setup(t, role.at(url))
    const { code, stderr } = await runHere(['serve', '-c', file], { env })
    assert.equal(code, 1)
    assert.match(stderr, /grant usage on schema lethe and select, insert, update, delete on lethe\.courier_claims, /)
  })
})

describe('secrets that would sign everybody out', () => {
  const SERVE = { lethe: { gc: { enabled: false } } }
  const withSecrets = (secrets: Record<string, string[]>) => ({ ...liveConfig(), ...SERVE, secrets })

  async function start(t: Scope, url: string, secrets: Record<string, string[]>) {
    const { file, env } = await setup(t, url)
    await writeFile(file, JSON.stringify(withSecrets(secrets)))
    return runHere(['serve', '-c', file], { env })
  }

  test('none at all', async (t) => {
    const url = await createKratosDatabase(t)
    const db = await openAt(t, url)
    await migrateUp(db)
    const { code, stderr } = await start(t, url, {})
    assert.equal(code, 1)
    assert.match(stderr, /neither secrets\.cookie nor secrets\.default is set: every browser would be signed out/)
    assert.deepEqual(await db.query(sql('test.meta', 'select key from lethe.meta')), [], 'nothing was written')
  })

  test('others than before; rotated ones are taken, and so are others once that is confirmed', async (t) => {
    const url = await createKratosDatabase(t)
    await migrateUp(await openAt(t, url))
    // the ports are taken, so a start that gets past the secrets ends there
    const started = /address already in use/
    const [one, two, three] = ['first-secret-of-them', 'second-secret-of-them', 'third-secret-of-them']
    assert.match((await start(t, url, { cookie: [one] })).stderr, started)
    assert.match((await start(t, url, { cookie: [two, one] })).stderr, started)
    assert.match((await start(t, url, { cookie: [two] })).stderr, started)
    for (const secrets of [{ cookie: [three] }, { cookie: [one, three] }, { default: [three] }]) {
      const refused = await start(t, url, secrets)
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /none of secrets\.cookie is one that this database was served with before/)
      assert.doesNotMatch(refused.stderr, /already in use|-secret-of-them/)
    }
    const { file } = await setup(t, url)
    await writeFile(file, JSON.stringify(withSecrets({ default: [three] })))
    const accepted = await runHere(['adopt', 'secrets', '-c', file, '--yes'], { env: { DSN: url } })
    assert.equal(accepted.code, 0, accepted.stderr)
    assert.match((await start(t, url, { cookie: [three] })).stderr, started)
  })
})

describe('a newer Kratos', () => {
  test('is accepted up to the version that was seen, by all nodes', async (t) => {
    const url = await createKratosDatabase(t)
    const db = await openAt(t, url)
    await db.script(`insert into schema_migration values ('${LATER}')`)
    const rows = await db.query(ROWS)
    const first = await runHere(['migrate', 'sql', 'up', '-e', '--yes', '--newer-kratos'], { env: { DSN: url } })
    assert.equal(first.code, 0, first.stderr)
    assert.deepEqual(await db.query(ROWS), rows, "Kratos's list is left alone")
    assert.equal((await migrationStatus(db)).problem, undefined)
    const isReady = createReadiness(db)

    await db.script(`insert into schema_migration values ('20270101000000000000')`)
    assert.match((await migrationStatus(db)).problem ?? '', /20270101/)
    assert.equal(await isReady(), true, 'what runs stays in service while Kratos is upgraded beside it')
    const second = await runHere(['migrate', 'sql', 'up', '-e', '--yes', '--newer-kratos'], { env: { DSN: url } })
    assert.equal(second.code, 0, second.stderr)
    assert.equal((await migrationStatus(db)).problem, undefined)
  })
})
