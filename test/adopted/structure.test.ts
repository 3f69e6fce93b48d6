import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { runHere } from '../cli/in-process.ts'
import { Client, createPerson, signIn, signInNative } from '../helpers/client.ts'
import { createKratosDatabase, openAt } from '../helpers/db.ts'
import { liveServerOn } from '../helpers/live-kratos.ts'

/** Everything that the database tells about itself, but for the schema lethe and Postgres's own. */
const VIEWS: [view: string, schemaColumn: string][] = [
  ['information_schema.schemata', 'schema_name'],
  ['information_schema.tables', 'table_schema'],
  ['information_schema.columns', 'table_schema'],
  ['information_schema.table_constraints', 'constraint_schema'],
  ['information_schema.key_column_usage', 'constraint_schema'],
  ['information_schema.constraint_column_usage', 'constraint_schema'],
  ['information_schema.referential_constraints', 'constraint_schema'],
  ['information_schema.check_constraints', 'constraint_schema'],
  ['information_schema.triggers', 'trigger_schema'],
  ['information_schema.routines', 'routine_schema'],
  ['information_schema.sequences', 'sequence_schema'],
  ['information_schema.views', 'table_schema'],
  ['information_schema.domains', 'domain_schema'],
  ['information_schema.table_privileges', 'table_schema'],
  ['pg_indexes', 'schemaname'],
  ['pg_rules', 'schemaname'],
  ['pg_policies', 'schemaname'],
]

async function describeAll(db: Db): Promise<string> {
  const lines: string[] = []
  for (const [view, column] of VIEWS) {
    const statement = sql(
      `test.describe_${view.replace('.', '_')}`,
      `select row_to_json(v)::text as line from ${view} v
       where ${column} not in ('lethe', 'information_schema') and ${column} not like 'pg\\_%' order by 1`,
    )
    const rows = await db.query<{ line: string }>(statement)
    lines.push(`# ${view}`, ...rows.map(({ line }) => line))
  }
  const options = sql(
    'test.describe_options',
    `select relname || ' ' || relkind::text || ' ' || coalesce(reloptions::text, '') as line from pg_class
     where relnamespace = 'public'::regnamespace order by 1`,
  )
  const rows = await db.query<{ line: string }>(options)
  return [...lines, '# pg_class', ...rows.map(({ line }) => line)].join('\n')
}

test('adopted, served, cleaned and hardened, the tables of Kratos are byte for byte what they were', async (t) => {
  const url = await createKratosDatabase(t)
  const db = await openAt(t, url)
  const before = await describeAll(db)
  assert.ok(before.split('\n').length > 700, 'the views show the tables')
  const versions = sql('test.versions', 'select version, version_self from schema_migration order by version')
  const list = await db.query(versions)

  await migrateUp(db)
  const server = await liveServerOn(t, db)
  const person = await createPerson(server)
  const browser = new Client(server)
  await signIn(browser, person)
  const { token } = await signInNative(server, person)
  const { logout_token: logout } = (await browser.get('/self-service/logout/browser')).body
  assert.equal((await browser.get(`/self-service/logout?token=${logout}`)).status, 204)
  await new Client(server).send('DELETE', '/self-service/logout/api', { json: { session_token: token } })
  await server.deps.collector.round()
  await server.deps.reactivated.round()
  for (const args of [
    ['cleanup', 'sql', '-e', '--database.cleanup.sleep.tables', '0s'],
    ['tokens', 'harden', '--yes', '--force'],
    ['migrate', 'sql', 'up', '-e', '--yes'],
  ]) {
    const { code, stderr } = await runHere(args, { env: { DSN: url } })
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
  }
  assert.equal(await describeAll(db), before)
  assert.deepEqual(await db.query(versions), list)
})
