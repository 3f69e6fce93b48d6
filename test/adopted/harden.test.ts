import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { storedToken } from '../../src/kernel/crypto/tokens.ts'
import { type Db, sql } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { createTokenHashing, type HashTokensOptions } from '../../src/maintenance/hash-tokens.ts'
import { createHashTokensStore } from '../../src/maintenance/store-hash-tokens.ts'
import { runHere } from '../cli/in-process.ts'
import { Client, createPerson, signIn, signInNative } from '../helpers/client.ts'
import { createDatabase, createKratosDatabase, openAt, type Scope } from '../helpers/db.ts'
import { LIVE, liveServerOn } from '../helpers/live-kratos.ts'

const TOKENS = sql('test.tokens', 'select token from sessions order by id')
const MODE = sql('test.mode', `select value from lethe.meta where key = 'tokens'`)
const alive = Object.entries(LIVE.sessions).filter(([, { expect }]) => expect.whoami.status === 200)

/** A shared database, as if Kratos had stopped long ago, and a server that runs on it. */
async function setup(t: Scope) {
  const url = await createKratosDatabase(t)
  const db = await openAt(t, url)
  await migrateUp(db)
  await db.script(
    ['sessions', 'selfservice_login_flows', 'selfservice_registration_flows', 'selfservice_settings_flows']
      .map((table) => `update ${table} set created_at = '2020-01-01'`)
      .join(';'),
  )
  return { url, db, server: await liveServerOn(t, db) }
}

const harden = (url: string, ...args: string[]) =>
  runHere(['tokens', 'harden', '--yes', ...args], { env: { DSN: url } })
const plain = async (db: Db) =>
  (await db.query<{ token: string }>(TOKENS)).filter((row) => !row.token.startsWith('s2_'))
const whoami = async (server: { publicUrl: string }, headers: Record<string, string>) =>
  (await fetch(`${server.publicUrl}/sessions/whoami`, { headers })).status

describe('tokens harden', () => {
  test('hashes every token; everyone stays signed in, and no stored hash is a token', async (t) => {
    const { url, db, server } = await setup(t)
    const before = await db.query<{ token: string }>(TOKENS)
    const outcome = await harden(url, '--batch', '5')
    assert.equal(outcome.code, 0, outcome.stderr)
    assert.match(outcome.stderr, /^17 session tokens will be hashed/)
    assert.match(outcome.stderr, /\nhashed 5 of 17\nhashed 10 of 17\nhashed 15 of 17\nhashed 17 of 17\n/)
    assert.deepEqual(await plain(db), [])
    assert.deepEqual(await db.query(MODE), [{ value: 'sha256' }])
    for (const [name, session] of alive) {
      assert.equal(await whoami(server, { 'x-session-token': session.session_token }), 200, name)
      assert.equal(await whoami(server, { authorization: `Bearer ${session.session_token}` }), 200, name)
      if (session.cookie) assert.equal(await whoami(server, { cookie: session.cookie }), 200, name)
    }
    for (const { token } of await db.query<{ token: string }>(TOKENS)) {
      assert.equal(await whoami(server, { 'x-session-token': token }), 401, 'a stolen row is no token')
    }
    assert.equal(before.length, 17)
    const again = await harden(url)
    assert.deepEqual([again.code, again.stdout], [0, 'All session tokens rest hashed, nothing to do.\n'])
  })

  test('logout works with the token that Kratos handed out, and with one made afterwards', async (t) => {
    const { url, server } = await setup(t)
    await harden(url)
    const kept = LIVE.sessions['alice-browser-1']!
    const client = new Client(server)
    const shown = await client.get('/self-service/logout/browser', { cookie: kept.cookie! })
    assert.equal(shown.body.logout_token, kept.logout_token)
    const old = await client.get(`/self-service/logout?token=${kept.logout_token}`, { cookie: kept.cookie! })
    assert.equal(old.status, 204)
    assert.equal(await whoami(server, { cookie: kept.cookie! }), 401)

    const browser = new Client(server)
    await signIn(browser, await createPerson(server))
    const { logout_token: token } = (await browser.get('/self-service/logout/browser')).body
    assert.match(token, /^ory_lo_/)
    assert.equal((await browser.get(`/self-service/logout?token=${token}`)).status, 204)
  })

  test('a server that was started before writes hashes from then on', async (t) => {
    const { url, db, server } = await setup(t)
    const first = await signInNative(server, await createPerson(server))
    assert.equal((await plain(db)).length, 18)
    await harden(url)
    const second = await signInNative(server, await createPerson(server))
    assert.deepEqual(await plain(db), [])
    const restarted = await liveServerOn(t, db)
    for (const { token } of [first, second]) {
      assert.equal(await whoami(server, { 'x-session-token': token }), 200)
      assert.equal(await whoami(restarted, { 'x-session-token': token }), 200)
    }
    const logout = await new Client(server).send('DELETE', '/self-service/logout/api', {
      json: { session_token: first.token },
    })
    assert.equal(logout.status, 204)
    assert.equal(await whoami(restarted, { 'x-session-token': first.token }), 401)
  })

  test('sign-in, whoami and logout go on while it runs', async (t) => {
    const { db, server } = await setup(t)
    const person = await createPerson(server)
    const hashing = createTokenHashing({
      store: createHashTokensStore(db, LIVE.network_id),
      clock: server.deps.clock,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20))),
    })
    let over = false
    const done = hashing.run({ ...QUIET, limit: 1, pauseMs: 20 }).finally(() => (over = true))
    const rounds = [0, 0]
    const visitor = async (index: number) => {
      while (!over || rounds[index]! < 3) {
        const { token } = await signInNative(server, person)
        assert.equal(await whoami(server, { 'x-session-token': token }), 200)
        for (const [name, session] of alive) {
          assert.equal(await whoami(server, { 'x-session-token': session.session_token }), 200, name)
        }
        const json = { session_token: token }
        const logout = await new Client(server).send('DELETE', '/self-service/logout/api', { json })
        assert.equal(logout.status, 204)
        assert.equal(await whoami(server, { 'x-session-token': token }), 401)
        rounds[index]! += 1
      }
    }
    await Promise.all([visitor(0), visitor(1)])
    assert.equal(await done, true)
    assert.deepEqual(await plain(db), [])
  })

  test('goes on where it was broken off', async (t) => {
    const { url, db, server } = await setup(t)
    const hashing = createTokenHashing({
      store: createHashTokensStore(db, LIVE.network_id),
      clock: server.deps.clock,
      sleep: async () => {},
    })
    const breaking: HashTokensOptions = {
      ...QUIET,
      limit: 4,
      onProgress() {
        throw new Error('the power went off')
      },
    }
    await assert.rejects(hashing.run(breaking), /power/)
    assert.equal((await plain(db)).length, 13)
    assert.deepEqual(await db.query(MODE), [{ value: 'hardening' }])
    const restarted = await liveServerOn(t, db)
    for (const [name, { session_token: token }] of alive) {
      assert.equal(await whoami(server, { 'x-session-token': token }), 200, name)
      assert.equal(await whoami(restarted, { 'x-session-token': token }), 200, name)
    }
    const outcome = await harden(url)
    assert.equal(outcome.code, 0, outcome.stderr)
    assert.match(outcome.stderr, /^13 session tokens/)
    assert.deepEqual(await plain(db), [])
  })

  test('does not wait for a transaction that is open in another database of the server', async (t) => {
    const { url } = await setup(t)
    const elsewhere = await openAt(t, await createDatabase(t, { migrated: false }))
    await elsewhere.tx(async (tx) => {
      await tx.query(sql('test.draw_id', 'select pg_current_xact_id()::text as xid'))
      const outcome = await harden(url)
      assert.equal(outcome.code, 0, outcome.stderr)
    })
  })

  test('waits for one that is open in its own', async (t) => {
    const { url, db } = await setup(t)
    await db.tx(async (tx) => {
      await tx.query(sql('test.draw_id', 'select pg_current_xact_id()::text as xid'))
      assert.equal((await harden(url)).code, 1)
    })
    assert.equal((await harden(url)).code, 0)
  })

  test('skips locked rows, and says that it is not done', async (t) => {
    const { url, db } = await setup(t)
    const { session_id: held } = LIVE.sessions['bob-native-1']!
    await db.tx(async (tx) => {
      await tx.query(sql('test.hold', 'select id from sessions where id = $1 for update'), [held])
      const outcome = await harden(url)
      assert.equal(outcome.code, 1)
      assert.match(outcome.stderr, /hashed 16 of 17\n[\s\S]*open in other connections/)
    })
    assert.equal((await harden(url)).code, 0)
    assert.deepEqual(await plain(db), [])
  })

  test('a logout that comes while its token is being hashed ends the session', async (t) => {
    const { db, server } = await setup(t)
    const { token } = await signInNative(server, await createPerson(server))
    const json = { session_token: token }
    const logout = await db.tx(async (tx) => {
      await tx.query(sql('test.hash_token', 'update sessions set token = $2 where token = $1'), [
        token,
        storedToken(token, 'sha256'),
      ])
      const answer = new Client(server).send('DELETE', '/self-service/logout/api', { json })
      const waiting = sql('test.ungranted_locks', 'select pid from pg_locks where not granted')
      for (let looks = 0; looks < 500 && (await tx.query(waiting)).length === 0; looks += 1) await sleep(20)
      return { answer }
    })
    assert.equal((await logout.answer).status, 204)
    assert.equal(await whoami(server, { 'x-session-token': token }), 401)
  })

  const WRITES: [name: string, statement: string][] = [
    [
      'a session',
      `update sessions set created_at = now() at time zone 'utc' where id = '${LIVE.sessions['bob-native-1']!.session_id}'`,
    ],
    [
      'a flow',
      `update selfservice_login_flows set created_at = now() at time zone 'utc' where id = '${LIVE.flows['login-api-open']!.id}'`,
    ],
  ]
  for (const [name, statement] of WRITES) {
    test(`refuses while Kratos writes: ${name} of just now`, async (t) => {
      const { url, db, server } = await setup(t)
      await db.script(statement)
      const refused = await harden(url)
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /Kratos still writes to this database, last at 20/)
      assert.equal((await plain(db)).length, 17, 'nothing was written')
      assert.deepEqual(await db.query(MODE), [{ value: 'plain' }])
      assert.equal((await harden(url, '--force')).code, 0)
      assert.equal(await whoami(server, { 'x-session-token': LIVE.sessions['bob-native-1']!.session_token }), 200)
    })
  }

  test('what Lethe writes itself is no reason to refuse', async (t) => {
    const { url, db } = await setup(t)
    // of just now, as the command's own clock has it
    const server = await liveServerOn(t, db, { clock: undefined })
    const person = await createPerson(server)
    await signIn(new Client(server), person)
    const { token } = await signInNative(server, person)
    await new Client(server).get('/self-service/registration/api')
    await new Client(server).get('/self-service/settings/api', { 'x-session-token': token })
    const outcome = await harden(url)
    assert.equal(outcome.code, 0, outcome.stderr)
  })

  test('asks first, and refuses nonsense', async (t) => {
    const { url, db } = await setup(t)
    const asked = await runHere(['tokens', 'harden'], { env: { DSN: url }, input: 'n\n' })
    assert.equal(asked.code, 1)
    assert.equal((await plain(db)).length, 17)
    for (const args of [
      ['--batch', '0'],
      ['--idle', 'long'],
      ['--pause', '-1s'],
    ]) {
      assert.match((await harden(url, ...args)).stderr, new RegExp(`${args[0]}: "${args[1]}" is not `))
    }
  })

  test('has nothing to do where tokens were hashed from the beginning', async (t) => {
    const outcome = await harden(await createDatabase(t, { migrated: true }))
    assert.equal(outcome.code, 0)
    assert.match(outcome.stdout, /nothing to do/)
  })

  test('leaves sessions of another network alone', async (t) => {
    const { url, db } = await setup(t)
    const [network, id] = [randomUUID(), randomUUID()]
    await db.script(`
      insert into networks values ('${network}', '2030-01-01', '2030-01-01');
      insert into sessions (id, expires_at, authenticated_at, identity_id, created_at, updated_at, token, active, nid, logout_token, authentication_methods)
      select '${id}', expires_at, authenticated_at, identity_id, created_at, updated_at, 'ory_st_other', true, '${network}', 'ory_lo_other', '[]'
      from sessions limit 1`)
    assert.equal((await harden(url)).code, 0)
    assert.deepEqual(await plain(db), [{ token: 'ory_st_other' }])
  })
})

const QUIET: HashTokensOptions = { limit: 100, pauseMs: 0, onProgress() {}, onWaiting() {} }
