import assert from 'node:assert/strict'
import { randomInt, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { sql } from '../../src/kernel/db/client.ts'
import { createVerifier, TokenRejected, type Verifier } from '../../src/verifier/index.ts'
import { balancer } from '../helpers/balancer.ts'
import { createDatabase, openAt, type Scope } from '../helpers/db.ts'
import { ListFollower, neverBack, placeOf, StreamFollower } from '../helpers/followers.ts'
import { held } from '../helpers/held.ts'
import { testServer } from '../helpers/server.ts'
import { signedIn } from '../helpers/sessions.ts'
import { until } from '../helpers/until.ts'
import { type Child, RUNS, serverProcess } from './storm.ts'

/** How long the storm lasts at least: `FAULT_SECONDS=60` for a long one. */
const SECONDS = Number(process.env.FAULT_SECONDS ?? 6)
const MAX_STALE_MS = 1500
const LOG = sql('test.log_log_storm', 'select seq, id, type, session_id from lethe.events order by seq')

for (let run = 1; run <= RUNS; run += 1) {
  test(`amid ends, open transactions and nodes that die, no follower misses an event, gets one twice or goes back (${run} of ${RUNS})`, async (t) => {
    const url = await createDatabase(t, { migrated: true })
    const nodes = [await serverProcess(t, url), await serverProcess(t, url)] as const
    await Promise.all(nodes.map((node) => node.ready()))
    const beside = await testServer(t, { db: await openAt(t, url) })
    const any = () => nodes[randomInt(nodes.length)]!
    const tokens = await tokenMaker()
    const verifiers = await Promise.all([0, 1, 2].map((index) => verifierBehind(t, nodes, tokens.jwks, index)))
    const acknowledged = new Map<string, number>()
    const counts = { changes: 0, restarts: 0, refused: 0, stale: 0, letIn: 0, heldMs: 0 }
    const wrongly: string[] = []
    let over = false
    const whileIt = async (work: () => Promise<unknown>) => {
      while (!over) await work()
    }

    const { identity } = (await signedIn(beside)).session
    const staying = (await signedIn(beside, identity)).session.id
    const writer = async () => {
      const { session, token } = await signedIn(beside, identity)
      const init = { method: 'DELETE', headers: { 'content-type': 'application/json' } }
      const body = JSON.stringify({ session_token: token })
      const to = `${any().url}/self-service/logout/api`
      const answer = await fetch(to, { ...init, body, signal: AbortSignal.timeout(60_000) }).catch(() => undefined)
      if (answer?.status === 204) acknowledged.set(session.id, Date.now())
      else if (answer === undefined) await sleep(5)
    }
    const holder = async () => {
      const ms = randomInt(4) === 0 ? randomInt(500, 3 * MAX_STALE_MS) : randomInt(5, 100)
      counts.heldMs += ms
      acknowledged.set(await held(url, beside.deps.meta.nid, () => sleep(ms)), Date.now())
    }
    const streams = [new StreamFollower(), new StreamFollower(), new StreamFollower()]
    for (const stream of streams) await stream.connect(any(), '0')
    const reading = async (stream: StreamFollower) => {
      await sleep(randomInt(5, 300))
      await stream.disconnect()
      while ((await stream.connect(any()).catch((error: Error) => error)) !== undefined) await sleep(5)
      counts.changes += 1
    }
    const lists = [new ListFollower(), new ListFollower()]
    const asking = async (list: ListFollower) => {
      await list.ask(any()).catch(() => sleep(5))
      await sleep(randomInt(1, 20))
    }
    /**
     * What ended longer ago than a verifier may be behind, and what has not ended. Mostly what has only just come to be of
     * that age: who takes a list for fresh that an open transaction holds back does not know of it yet.
     */
    const checking = async (verifier: Verifier) => {
      await sleep(randomInt(1, 30))
      const known = [...acknowledged].slice(-400).filter(([, at]) => Date.now() - at > MAX_STALE_MS)
      const among = known.slice(randomInt(4) === 0 ? 0 : -8)
      const ended = among[randomInt(Math.max(1, among.length))]
      const verdict = async (id: string) =>
        verifier.verify(await tokens.of(id)).then(
          () => 'let in',
          (error) => (error instanceof TokenRejected ? error.code : String(error)),
        )
      const of = ended === undefined ? 'stale' : await verdict(ended[0])
      if (of !== 'session_ended' && of !== 'stale') wrongly.push(`an ended session: ${of}`)
      const other = await verdict(staying)
      if (other !== 'let in' && other !== 'stale') wrongly.push(`a session that lives: ${other}`)
      counts.refused += of === 'session_ended' ? 1 : 0
      counts.stale += other === 'stale' ? 1 : 0
      counts.letIn += other === 'let in' ? 1 : 0
    }
    const again = async (node: Child) => {
      node.startAgain()
      await node.ready()
      counts.restarts += 1
    }
    const disturbances = [
      () => nodes[0].kill().then(() => again(nodes[0])),
      () => Promise.all(nodes.map((node) => node.kill().then(() => again(node)))),
      () => nodes[1].stop().then(() => again(nodes[1])),
      () => Promise.all([nodes[0].kill().then(() => again(nodes[0])), nodes[1].stop().then(() => again(nodes[1]))]),
      () => nodes[1].kill().then(() => again(nodes[1])),
    ]

    const others = [
      ...[writer, writer, writer, holder].map(whileIt),
      ...streams.map((stream) => whileIt(() => reading(stream))),
      ...lists.map((list) => whileIt(() => asking(list))),
      ...verifiers.map((verifier) => whileIt(() => checking(verifier))),
    ]
    const begun = performance.now()
    for (let i = 0; i < 3 || performance.now() - begun < SECONDS * 1000; i += 1) {
      await sleep(randomInt(200, 1500))
      await disturbances[i % disturbances.length]!()
    }
    over = true
    await Promise.all(others)

    type Row = { seq: number; id: string; type: string; session_id: string }
    const log = await beside.db.query<Row>(LOG)
    const newest = log.at(-1)!.seq
    const ends = new Set(log.filter(({ type }) => type === 'session.ended').map(({ session_id }) => session_id))
    for (const id of acknowledged.keys()) assert.ok(ends.has(id), 'an end that was acknowledged is in the log')
    for (const stream of streams) {
      await until(() => (stream.told.at(-1)?.data.seq ?? 0) >= newest, 'the last event')
      await stream.disconnect()
      const told = stream.told.map(({ event, data }) => (event === 'gap' ? JSON.stringify(data) : data.id))
      assert.deepEqual(
        told,
        log.map(({ id }) => id),
      )
      neverBack(stream.places)
    }
    for (const list of lists) {
      await until(async () => {
        await list.ask(any()).catch(() => undefined)
        return placeOf(list.answers.at(-1)!.cursor).seq >= newest
      }, 'the end of the list')
      const all = list.answers.flatMap(({ sessions }) => sessions)
      assert.equal(new Set(all).size, all.length, 'an end was told twice')
      assert.deepEqual(new Set(all), ends)
      assert.deepEqual(
        list.answers.slice(1).filter(({ reset }) => reset),
        [],
      )
      neverBack(list.answers.map(({ cursor }) => cursor))
    }
    assert.deepEqual(wrongly, [])
    assert.ok(counts.refused > 0 && counts.letIn > 0, JSON.stringify(counts))
    t.diagnostic(JSON.stringify({ events: log.length, ...counts, places: streams.map(({ places }) => places.length) }))
  })
}

async function tokenMaker() {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'k' }] }
  const sub = randomUUID()
  const of = (sid: string) =>
    new SignJWT({ sid, sub })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey)
  return { jwks, of }
}

/** Which node it asks changes all the time, as behind a balancer. The second has a stream, the third a slow network too. */
async function verifierBehind(t: Scope, nodes: readonly Child[], jwks: { keys: object[] }, kind: number) {
  const through = await balancer(
    t,
    nodes.map(({ adminUrl }) => adminUrl),
    { lifeMs: () => randomInt(50, 2000), delayMs: () => (kind === 2 ? randomInt(MAX_STALE_MS) : 0) },
  )
  const verifier = createVerifier({
    jwks: jwks as { keys: never[] },
    revocations: `${through.url}/admin/sessions/revocations`,
    ...(kind > 0 ? { stream: `${through.url}/admin/events/stream` } : {}),
    pollMs: 50,
    maxStaleMs: MAX_STALE_MS,
  })
  t.after(async () => verifier.close())
  return verifier
}
