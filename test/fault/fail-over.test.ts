import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { exportJWK, generateKeyPair } from 'jose'
import pg from 'pg'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { createVerifier, TokenRejected } from '../../src/verifier/index.ts'
import { openAt, type Scope } from '../helpers/db.ts'
import { ListFollower, placeOf, StreamFollower } from '../helpers/followers.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { proxyTo } from '../helpers/tcp-proxy.ts'
import { RUNS } from './storm.ts'

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 6000; i++) {
    if (await holds()) return
    await sleep(20)
  }
  assert.fail(`never: ${what}`)
}

async function ask<R>(url: string, text: string): Promise<R> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows[0]
  } finally {
    await client.end()
  }
}

/** As often as it takes: the database may be on its way to another server. */
async function again<R>(work: () => Promise<R>): Promise<R> {
  for (let i = 0; ; i++) {
    try {
      return await work()
    } catch (error) {
      if (i === 600) throw error
      await sleep(50)
    }
  }
}

async function nodeAt(t: Scope, dsn: string, config: Record<string, unknown>): Promise<TestServer> {
  const node = await testServer(t, { db: await openAt(t, dsn), config })
  for (const work of node.deps.background) work.start()
  t.after(async () => {
    for (const work of node.deps.background) await work.stop()
  })
  return node
}

async function metric(node: TestServer, name: string): Promise<number> {
  const text = await (await fetch(`${node.adminUrl}/admin/metrics/prometheus`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(name))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

async function loseAndPromote(t: Scope): Promise<void> {
  const flags = ['unix_socket_directories=', 'max_connections=60', 'autovacuum=off']
  const primary = await startPostgres(flags)
  t.after(() => primary.stop())
  const setUp = await openAt(t, primary.url)
  await migrateUp(setUp)
  await setUp.close()
  const standby = await primary.standby()
  t.after(() => standby.stop())
  const proxy = await proxyTo(t, primary.url)
  const receiver = await startReceiver(t)
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const [secret, open] = [await exportJWK(privateKey), await exportJWK(publicKey)].map((key) => ({
    ...key,
    alg: 'ES256',
    kid: 'k',
  }))
  const jwks_url = `base64://${Buffer.from(JSON.stringify({ keys: [secret] })).toString('base64')}`
  const config = {
    session: { whoami: { tokenizer: { templates: { jwt: { jwks_url, ttl: '20m' } } } } },
    lethe: { events: { webhooks: [{ id: 'hook', url: receiver.url, secret: 'sixteen letters.' }] } },
  }
  const nodes = [await nodeAt(t, proxy.url, config), await nodeAt(t, proxy.url, config)]
  const [one, two] = nodes as [TestServer, TestServer]
  const [attached, moving, list] = [new StreamFollower(), new StreamFollower(), new ListFollower()]
  const verifier = createVerifier({
    jwks: { keys: [open!] },
    revocations: `${two.adminUrl}/admin/sessions/revocations`,
    stream: `${one.adminUrl}/admin/events/stream`,
    pollMs: 50,
    maxStaleMs: 60_000,
  })
  t.after(async () => verifier.close())
  await attached.connect(one, '0')
  await moving.connect(two, '0')

  const endOne = async (index: number) => {
    const node = nodes[index % 2]!
    const { session, headers } = await again(() => signedIn(node))
    const tokenized = await again(async () => {
      const answer = await fetch(`${node.publicUrl}/sessions/whoami?tokenize_as=jwt`, { headers })
      if (!answer.ok) throw new Error(`whoami answered ${answer.status}`)
      return ((await answer.json()) as { tokenized: string }).tokenized
    })
    await again(() => node.deps.sessions.revoke(session, 'logout'))
    return { id: session.id, token: tokenized }
  }
  const end = (count: number) => Promise.all(Array.from({ length: count }, (_, index) => endOne(index)))
  const ids = (ends: { id: string }[]) => ends.map(({ id }) => id)
  const heardBy = {
    receiver: () =>
      new Set(
        receiver.received
          .map(({ event }) => event)
          .filter(isEnd)
          .map(sessionOf),
      ),
    attached: () => new Set(attached.events.filter(isEnd).map(sessionOf)),
    moving: () => new Set(moving.events.filter(isEnd).map(sessionOf)),
  }
  const allHear = async (ends: { id: string; token: string }[]) => {
    for (const [who, heard] of Object.entries(heardBy)) {
      await until(`told to ${who}`, () => ids(ends).every((id) => heard().has(id)))
    }
    await until('told by the list', async () => {
      await list.ask(nodes[list.answers.length % 2]!).catch(() => undefined)
      return ids(ends).every((id) => list.ended.has(id))
    })
    for (const { token } of ends) {
      await until('refused by the verifier', async () => {
        const error = await verifier.verify(token).catch((reason: unknown) => reason)
        return error instanceof TokenRejected && error.code === 'session_ended'
      })
    }
  }

  const kept = await end(10)
  await allHear(kept)
  const { lsn } = await ask<{ lsn: string }>(primary.url, 'select pg_current_wal_lsn() as lsn')
  await until('the standby has it', async () => {
    return (await ask<{ has: boolean }>(standby.url, `select pg_last_wal_replay_lsn() >= '${lsn}' as has`)).has
  })
  const { pid } = await ask<{ pid: number }>(primary.url, 'select pid from pg_stat_replication')
  process.kill(pid, 'SIGSTOP')
  const lost = await end(30)
  await allHear(lost)
  await moving.disconnect()
  await primary.crash()
  process.kill(pid, 'SIGKILL')
  await ask(standby.url, 'select pg_promote()')
  proxy.leadTo(standby.url)
  proxy.cut()
  proxy.restore()

  const later = await end(60)
  await moving.connect(one)
  await allHear(later)
  const there = await ask<{ count: number }>(
    standby.url,
    `select count(*)::int from sessions where id in (${ids(lost).map((id) => `'${id}'`)})`,
  )
  assert.equal(there.count, 0, 'the fail-over was to lose these')

  const { reasons } = await ask<{ reasons: string[] }>(
    standby.url,
    'select json_agg(reason order by number) as reasons from lethe.event_epochs where number > 0',
  )
  assert.deepEqual(reasons, ['first', 'promoted'])
  for (const follower of [attached, moving]) {
    assert.deepEqual(
      follower.told.filter(({ event }) => event === 'gap').map(({ data }) => data.lost),
      [true],
    )
    neverTwiceWithoutGap(follower)
  }
  assert.ok(list.answers.some(({ reset }, index) => index > 0 && reset))
  assert.equal(ids(lost).filter((id) => list.ended.has(id)).length, 0, 'the whole list is what the log holds')
  // kept out until then, and let in again by the database itself
  for (const { token } of kept) await assert.rejects(verifier.verify(token), { code: 'session_ended' })
  for (const node of nodes) {
    assert.ok((await metric(node, 'lethe_event_log_epochs_total{reason="promoted"}')) === 1)
    assert.match(node.logs(), /another database server was promoted.*gap/)
  }
  assert.ok((await metric(one, 'lethe_event_followers_set_back_total')) >= 2)
  assert.equal(new Set([...attached.places, ...moving.places].map((place) => placeOf(place).epoch)).size, 2)
}

for (let run = 1; run <= RUNS; run += 1)
  test(
    `after a fail-over that lost commits each follower hears of every later end, and of the gap (${run} of ${RUNS})`,
    loseAndPromote,
  )

const isEnd = (event: { type: string }) => event.type === 'session.ended'
const sessionOf = (event: { session_id: string }) => event.session_id

/** Between gaps each event comes once, and places grow. */
function neverTwiceWithoutGap({ told }: StreamFollower): void {
  let seen = new Set<string>()
  let last = 0
  for (const { event, data } of told) {
    if (event === 'gap') {
      seen = new Set()
      last = 0
      continue
    }
    assert.ok(!seen.has(data.id), 'told twice')
    assert.ok(data.seq > last, 'told backwards')
    seen.add(data.id)
    last = data.seq
  }
}
