import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { runHere } from '../cli/in-process.ts'
import { createDatabase, createKratosDatabase, createRole, openAt, type Scope } from '../helpers/db.ts'
import { connectAsKratos, kratosWrites } from '../helpers/kratos-writes.ts'
import { LIVE, liveConfig } from '../helpers/live-kratos.ts'
import { testServer } from '../helpers/server.ts'
import { structureOf } from '../helpers/structure.ts'
import { until } from '../helpers/until.ts'

const OBJECTS = sql(
  'test.objects_watch_switch',
  `select 'function ' || p.oid::regprocedure::text as what from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname in ('lethe', 'public')
   union all select 'trigger ' || t.tgname || ' on ' || t.tgrelid::regclass::text from pg_trigger t where not t.tgisinternal
   union all select 'meta ' || m.key || ' ' || m.value::text from lethe.meta m
   union all select 'rights ' || c.oid::regclass::text || ' ' || coalesce(c.relacl::text, '') from pg_class c
     join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('lethe', 'public')
   order by 1`,
)
const ENDS = sql('test.ends', `select cause from lethe.events where session_id = $1 and type = 'session.ended'`)

async function adopted(t: Scope) {
  const url = await createKratosDatabase(t)
  const db = await openAt(t, url)
  await migrateUp(db)
  return { url, db }
}

const watch = (word: string, url: string, ...more: string[]) => runHere(['adopt', 'watch', word, url, ...more])
const stateOf = async (url: string) => JSON.parse((await watch('status', url, '--format', 'json')).stdout)
const objectsOf = async (db: Db) => (await db.query<{ what: string }>(OBJECTS)).map(({ what }) => what)

/** As another program sees it; undefined where the program is missing. */
function dump(url: string): string | undefined {
  const { stdout, status } = spawnSync('pg_dump', ['--schema-only', url], { encoding: 'utf8' })
  return status === 0 ? stdout.replace(/^\\(un)?restrict .*$/gm, '') : undefined
}

test('switched on and off again, nothing in the database is as if it had ever been', async (t) => {
  const { url, db } = await adopted(t)
  const [objects, text, tables] = [await objectsOf(db), dump(url), await structureOf(db)]
  // An older pg_dump refuses a newer server; the catalogs tell the same.
  if (text === undefined) t.diagnostic('compared without pg_dump')
  assert.deepEqual(await stateOf(url), { state: 'off', since: null, problems: [] })

  const on = await watch('on', url, '--yes')
  assert.equal(on.code, 0, on.stderr)
  const { state, since } = await stateOf(url)
  assert.equal(state, 'on')
  assert.ok(Date.parse(since) > 0)
  assert.match((await watch('on', url)).stdout, /on already/)
  assert.notDeepEqual(await objectsOf(db), objects)

  const off = await watch('off', url, '--yes')
  assert.equal(off.code, 0, off.stderr)
  assert.match((await watch('off', url)).stdout, /off already/)
  assert.deepEqual(await stateOf(url), { state: 'off', since: null, problems: [] })
  assert.deepEqual(await objectsOf(db), objects)
  assert.deepEqual(await structureOf(db), tables)
  assert.equal(dump(url), text)
})

test('nothing is done before the plan was shown and agreed to', async (t) => {
  const { url, db } = await adopted(t)
  const before = await objectsOf(db)
  const refused = await runHere(['adopt', 'watch', 'on', url], { input: 'no\n' })
  assert.equal(refused.code, 1)
  assert.match(refused.stdout, /lethe_watch_session_delete\s+public\.sessions/)
  assert.deepEqual(await objectsOf(db), before)
  const agreed = await runHere(['adopt', 'watch', 'on', url], { input: 'yes\n' })
  assert.equal(agreed.code, 0, agreed.stderr)
})

test('what it needs is named, and no more is needed: neither to switch it on nor to switch it off', async (t) => {
  const role = await createRole(t)
  const { url, db } = await adopted(t)
  await db.script(`grant select, insert, update, delete on all tables in schema public to ${role.name};
    alter schema lethe owner to ${role.name};
    do $$ declare r record; begin
      for r in select c.oid::regclass as name from pg_class c where c.relnamespace = 'lethe'::regnamespace and c.relkind = 'r' loop
        execute format('alter table %s owner to ${role.name}', r.name); end loop; end $$`)
  const own = role.at(url)
  const refused = await watch('on', own, '--yes')
  assert.equal(refused.code, 1)
  const grants = refused.stderr.split('\n').filter((line) => line.startsWith('grant '))
  assert.deepEqual(grants, [
    `grant trigger on public.identities to "${role.name}";`,
    `grant trigger on public.sessions to "${role.name}";`,
  ])
  await db.script(grants.join('\n'))
  const on = await watch('on', own, '--yes')
  assert.equal(on.code, 0, on.stderr)

  const kratos = kratosWrites(await connectAsKratos(t, url), LIVE.network_id)
  const id = await kratos.signIn(await kratos.newIdentity())
  await kratos.revoke(id)
  assert.equal((await db.query(ENDS, [id])).length, 1)

  const off = await watch('off', own, '--yes')
  assert.equal(off.code, 0, off.stderr)
  assert.equal((await objectsOf(db)).filter((what) => what.includes('watch')).length, 0)
})

test('no other role can make its functions write to the log', async (t) => {
  const role = await createRole(t)
  const { url, db } = await adopted(t)
  await watch('on', url, '--yes')
  await db.script(`create schema theirs authorization ${role.name}; grant usage on schema lethe to ${role.name}`)
  const client = await connectAsKratos(t, role.at(url))
  await client.query(
    'create table theirs.sessions (id uuid, identity_id uuid, nid uuid, active boolean, expires_at timestamp)',
  )
  await assert.rejects(
    client.query(`create trigger forged after delete on theirs.sessions referencing old table as old_rows
      for each statement execute function lethe.watch_session_delete()`),
    /permission denied for function/,
  )
})

const DAMAGE: [what: string, text: string, said: RegExp][] = [
  [
    'a trigger is dropped',
    'drop trigger lethe_watch_session_update on sessions',
    /lethe_watch_session_update.*is gone/,
  ],
  [
    'triggers are switched off',
    'alter table sessions disable trigger all',
    /lethe_watch_session_delete is switched off/,
  ],
  [
    'the table is made anew by a migration',
    `alter table sessions rename to sessions_old;
     create table sessions (like sessions_old including all);
     insert into sessions select * from sessions_old;
     alter table sessions add foreign key (identity_id) references identities (id) on delete cascade;
     drop table sessions_old cascade;
     alter table session_devices add foreign key (session_id) references sessions (id) on delete cascade`,
    /lethe_watch_session_insert.*is gone/,
  ],
  [
    'a function is another one',
    `create or replace function lethe.watch_session_delete() returns trigger language plpgsql as 'begin return null; end'`,
    /watch_session_delete is of another release/,
  ],
]
for (const [what, text, said] of DAMAGE) {
  test(`when ${what}, status and "adopt check" say so, and "on" sets it right`, async (t) => {
    const { url, db } = await adopted(t)
    await watch('on', url, '--yes')
    await db.script(text)
    const broken = await watch('status', url)
    assert.equal(broken.code, 1)
    assert.match(broken.stdout, said)
    assert.equal((await stateOf(url)).state, 'broken')
    const node = await testServer(t, { db, base: { ...liveConfig(), dsn: 'memory' } })
    const ready = async (port: 'adminUrl' | 'publicUrl') => {
      const answer = await fetch(`${node[port]}/health/ready`)
      assert.equal(answer.status, 200, 'no reason to be taken out of service')
      return (await answer.json()) as { status: string; warnings?: string[] }
    }
    assert.match((await ready('adminUrl')).warnings!.join(), said)
    assert.deepEqual(await ready('publicUrl'), { status: 'ok' })
    assert.match(node.logs(), said)
    assert.match((await runHere(['adopt', 'check', url, '--format', 'json'])).stdout, said)
    const on = await watch('on', url, '--yes')
    assert.equal(on.code, 0, on.stderr)
    assert.equal((await stateOf(url)).state, 'on')
    await until(async () => (await ready('adminUrl')).warnings === undefined, 'readiness without a warning')
    assert.match(node.logs(), /whole again/)
  })
}

test('a transaction that stays open makes it give up without having changed anything, and no other transaction waits for it meanwhile', async (t) => {
  const { url, db } = await adopted(t)
  const before = await objectsOf(db)
  const holder = await connectAsKratos(t, url)
  await holder.query('begin')
  await holder.query('update sessions set updated_at = updated_at')
  const refused = await watch('on', url, '--yes')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /a transaction that stays open holds a lock/)
  await holder.query('rollback')
  assert.deepEqual(await objectsOf(db), before)
})

test('where the schema lethe is dropped, nothing is left that could fail the statements of Kratos', async (t) => {
  const { url, db } = await adopted(t)
  await watch('on', url, '--yes')
  await db.script('drop schema lethe cascade')
  const kratos = kratosWrites(await connectAsKratos(t, url), LIVE.network_id)
  const identity = await kratos.newIdentity()
  await kratos.revoke(await kratos.signIn(identity))
  await kratos.setState(identity, 'inactive')
  await kratos.deleteIdentity(identity)
})

test('it is for databases of Kratos', async (t) => {
  const { code, stderr } = await watch('on', await createDatabase(t, { migrated: true }), '--yes')
  assert.equal(code, 1)
  assert.match(stderr, /no database of Kratos: it is owned/)
})
