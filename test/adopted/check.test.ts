import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { folder } from '../cli/folder.ts'
import { runHere } from '../cli/in-process.ts'
import { run } from '../cli/run.ts'
import { closingScope, createDatabase, createKratosDatabase, openAt, type Scope } from '../helpers/db.ts'
import { LIVE, liveConfig } from '../helpers/live-kratos.ts'

const FRESH = LIVE.sessions['alice-browser-1']!.cookie!
const OLD_SECRET = LIVE.sessions['carol-browser-old-secret']!.cookie!
const ENDED = LIVE.sessions['alice-browser-revoked']!.cookie!

async function configFile(t: Scope, change: Record<string, unknown> = {}): Promise<string> {
  const file = `${await folder(t)}/kratos.json`
  await writeFile(file, JSON.stringify({ ...liveConfig(), ...change }))
  return file
}

async function check(DSN: string, args: string[], input = '') {
  const { code, stdout, stderr } = await runHere(['adopt', 'check', ...args], { env: { DSN }, input })
  return { code, stdout, stderr, report: code === 0 || stdout !== '' ? JSON.parse(stdout) : undefined }
}

const textsOf = (report: { findings: { level: string; text: string }[] }, level: string) =>
  report.findings.filter((finding) => finding.level === level).map(({ text }) => text)

describe('adopt check', () => {
  const scope = closingScope()
  let DSN: string
  let db: Db
  let file: string
  before(async () => {
    DSN = await createKratosDatabase(scope)
    db = await openAt(scope, DSN)
    file = await configFile(scope)
  })
  after(() => scope.close())

  test('counts what there is, and says which way is open and what a full swap would take away', async () => {
    const { code, report } = await check(DSN, ['-c', file, '--cookie', FRESH])
    assert.equal(code, 0)
    assert.deepEqual(report.verdict, { side_by_side: 'ready', full_swap: 'ready' })
    assert.deepEqual(report.kratos, { version: 'v26.2.0', last_migration: '20260114175904000000' })
    assert.deepEqual([report.network_id, report.schema_lethe], [LIVE.network_id, 'to be created'])
    const { counts } = report
    assert.deepEqual([counts.identities, counts.disabled_identities], [12, 1])
    // all that answer whoami with 200, and one that lacks its second factor
    assert.deepEqual([counts.sessions, counts.active_sessions, counts.active_sessions_aal2], [17, 11, 2])
    assert.deepEqual(counts.credentials, { password: 11, totp: 1 })
    assert.deepEqual(report.config, { problems: [], unsupported_keys: [] })
    assert.deepEqual(report.cookies, [{ outcome: 'read', secret: 1, session: 'live' }])
    assert.deepEqual(textsOf(report, 'loss'), [])
  })

  test('tries cookies: a header, a bare value, one under an older secret, one of an ended session, one of elsewhere', async () => {
    const bare = /ory_kratos_session=([^;]+)/.exec(FRESH)![1]!
    const { code, report } = await check(DSN, ['-c', file, '--cookie', '-'], [bare, OLD_SECRET, ENDED].join('\n'))
    assert.equal(code, 0)
    assert.deepEqual(report.cookies, [
      { outcome: 'read', secret: 1, session: 'live' },
      { outcome: 'read', secret: 2, session: 'live' },
      { outcome: 'read', secret: 1, session: 'ended' },
    ])
    const other = await configFile(scope, { secrets: { cookie: ['another-secret-altogether'] } })
    const wrong = await check(DSN, ['-c', other, '--cookie', FRESH])
    assert.deepEqual([wrong.code, wrong.report.cookies], [1, [{ outcome: 'unreadable' }]])
    assert.match(textsOf(wrong.report, 'stop').join(), /everybody would be signed out/)
    const short = await configFile(scope, { session: { lifespan: '1s' } })
    assert.deepEqual((await check(DSN, ['-c', short, '--cookie', FRESH])).report.cookies, [
      { outcome: 'tooOld', secret: 1 },
    ])
  })

  test('shows a table to people, everything to programs, and no secret, token or hash to either', async () => {
    const args = ['adopt', 'check', '-c', file, '--cookie', FRESH]
    const table = await run([...args, '--format', 'table'], { env: { DSN } })
    assert.equal(table.code, 0, table.stderr)
    assert.match(table.stdout, /^Kratos\t+v26\.2\.0\t/)
    assert.match(table.stdout, /\nBeside Kratos\tready\t+\nInstead of it\tready\t+\n$/)
    const json = await run(args, { env: { DSN } })
    JSON.parse(json.stdout)
    for (const { stdout, stderr } of [table, json])
      assert.doesNotMatch(stdout + stderr, /ory_st_|fixture-cookie|\$12\$|MTc/)
  })

  test('changes nothing', async () => {
    const sums = sql(
      'test.sums',
      `select (select md5(string_agg(s::text, '|' order by s.id)) from sessions s) as sessions,
        (select md5(string_agg(i::text, '|' order by i.id)) from identities i) as identities,
        (select count(*) from pg_namespace where nspname = 'lethe') as own`,
    )
    const before = await db.query(sums)
    await check(DSN, ['-c', file, '--cookie', FRESH])
    assert.deepEqual(await db.query(sums), before)
  })

  const STOPS: [name: string, change: Record<string, unknown>, words: RegExp][] = [
    ['a file that no server would take', { session: { lifespan: 'long' } }, /^the configuration: session\.lifespan: /],
    ['no secrets at all', { secrets: {} }, /^neither secrets\.cookie nor secrets\.default is set/],
    [
      'a schema that identities have and the file lacks',
      { identity: { default_schema_id: 'default', schemas: liveConfig().identity.schemas.slice(0, 1) } },
      /^1 identities have the schema "account"/,
    ],
  ]
  for (const [name, change, words] of STOPS) {
    test(`stops at ${name}`, async () => {
      const { code, report } = await check(DSN, ['-c', await configFile(scope, change)])
      assert.equal(code, 1)
      assert.match(textsOf(report, 'stop')[0]!, words)
      assert.deepEqual(report.verdict, { side_by_side: 'not_ready', full_swap: 'not_ready' })
    })
  }

  test('works without a configuration, and says what was not looked at', async () => {
    const { code, report } = await check(DSN, [])
    assert.equal(code, 0)
    assert.match(textsOf(report, 'note').join(), /name the files of Kratos with -c/)
  })
})

describe('adopt check elsewhere', () => {
  test('finds what Lethe lacks: people who sign in by other means, strange hashes', async (t) => {
    const DSN = await createKratosDatabase(t)
    const db = await openAt(t, DSN)
    const { alice, bob, carol, dave } = LIVE.identities
    const addCredential = (id: string, type: string, config: string) => `
      insert into identity_credentials (id, config, identity_credential_type_id, identity_id, created_at, updated_at, nid)
      select gen_random_uuid(), '${config}', t.id, '${id}', now(), now(), '${LIVE.network_id}'
      from identity_credential_types t where t.name = '${type}'`
    await db.script(`
      ${addCredential(alice!.id, 'oidc', '{"providers": [{"provider": "acme"}]}')};
      ${addCredential(LIVE.identities.nora!.id, 'saml', '{"providers": [{"provider": "acme"}]}')};
      ${addCredential(bob!.id, 'oidc', '{"providers": []}')};
      update identity_credentials set config = '{"hashed_password": "$rot13$abc"}' where identity_id = '${carol!.id}';
      update identity_credentials set config = '{"use_password_migration_hook": true}' where identity_id = '${dave!.id}';
      insert into courier_messages (id, type, status, body, subject, recipient, created_at, updated_at, template_type, template_data, nid)
      values (gen_random_uuid(), 1, 1, '', '', 'a@example.org', now(), now(), 'stub', '{}', '${LIVE.network_id}');
      insert into networks values (gen_random_uuid(), '2030-01-01', '2030-01-01')`)
    const { code, report } = await check(DSN, [])
    assert.equal(code, 1)
    assert.match(textsOf(report, 'stop').join('\n'), /^1 passwords are hashed in a way that is not known: \$rot13$/)
    const losses = textsOf(report, 'loss').join('\n')
    assert.match(losses, /^SAML \(1 identities\)\n1 identities have no password/)
    assert.match(losses, /1 passwords are still with the password migration hook/)
    assert.match(textsOf(report, 'note').join('\n'), /there are 2 networks/)
  })

  test('names what is missing, and counts nothing then', async (t) => {
    const DSN = await createKratosDatabase(t)
    await (await openAt(t, DSN)).script('alter table sessions drop column token')
    const { code, report } = await check(DSN, [])
    assert.deepEqual([code, report.counts], [1, null])
    assert.match(textsOf(report, 'stop').join(), /the column sessions\.token is missing/)
  })

  test('knows a database that is shared already', async (t) => {
    const DSN = await createKratosDatabase(t)
    await migrateUp(await openAt(t, DSN))
    assert.equal((await check(DSN, [])).report.schema_lethe, 'there')
  })

  test('refuses what is no database of Kratos', async (t) => {
    const own = await check(await createDatabase(t, { migrated: true }), [])
    assert.deepEqual([own.code, own.stderr], [1, 'Error: this is no database of Kratos: it is owned\n'])
    const empty = await check(await createDatabase(t, { migrated: false }), [])
    assert.deepEqual([empty.code, empty.stderr], [1, 'Error: this is no database of Kratos: it is empty\n'])
  })
})
