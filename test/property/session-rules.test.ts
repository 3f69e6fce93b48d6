import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { decodeJwt, exportJWK, generateKeyPair } from 'jose'
import { formatTime, type Micros, parseTime, SECOND } from '../../src/kernel/base/clock.ts'
import { encodeSecureCookie } from '../../src/kernel/crypto/cookies/securecookie.ts'
import { sql } from '../../src/kernel/db/client.ts'
import { idleAfterNote } from '../../src/sessions/rules.ts'
import { backends } from '../helpers/db.ts'
import fc, { MORE } from '../helpers/fast-check.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn, T0 } from '../helpers/sessions.ts'

/**
 * A session under an idle and an absolute limit, on two nodes of one database: whatever is done with it, and however much
 * time passes in between, no answer says that it is live once a rule has ended it, none says that it has ended before, and
 * all of them agree.
 */

const LIFESPAN = 3600 * SECOND
/** By the schema of the identity: one has a rule of its own. */
const IDLES = { default: 600 * SECOND, other: 300 * SECOND }
type Schema = keyof typeof IDLES
const ABSOLUTE = 7200 * SECOND

const KINDS = ['use', 'token', 'cookie', 'list', 'stream', 'extend', 'refresh', 'collect', 'look'] as const
type Op = { kind: (typeof KINDS)[number]; node: number } | { kind: 'pass'; seconds: number }

const SET_SCHEMA = sql('test.set_schema', 'update identities set schema_id = $2 where id = $1')

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(...KINDS),
      node: fc.nat(1),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      // below, at and above the limits; now and then the clock is set back a little
      seconds: fc.oneof(
        fc.integer({ min: 1, max: 620 }),
        fc.constantFrom(-2, 1, 9, 290, 299, 300, 301, 304, 310, 311, 590, 599, 600, 601, 609, 615, 616, 3599),
      ),
    }),
  },
)

const histories = fc.array(op, { minLength: 3, maxLength: 13 })

for (const backend of backends()) {
  describe(`rules on ${backend.name}`, () => {
    test('every answer keeps to them', async (t) => {
      const db = await backend.open(t)
      let now: Micros = parseTime(T0)
      const rules = { idle_timeout: '5m', absolute_timeout: '2h', schemas: { default: { idle_timeout: '10m' } } }
      const { privateKey } = await generateKeyPair('EdDSA', { extractable: true })
      const keys = JSON.stringify({ keys: [{ ...(await exportJWK(privateKey)), alg: 'EdDSA', kid: 'k' }] })
      // without a rule a token would live longer than the session
      const template = { jwks_url: `base64://${Buffer.from(keys).toString('base64')}`, ttl: '20m' }
      const config = {
        session: { lifespan: '1h', whoami: { tokenizer: { templates: { t: template } } } },
        feature_flags: { cacheable_sessions: true },
        lethe: { sessions: rules },
      }
      const nodes = [
        await testServer(t, { db, config, clock: { now: () => now } }),
        await testServer(t, { db, config, clock: { now: () => now } }),
      ]
      await fc.assert(
        fc.asyncProperty(fc.constantFrom<Schema>('default', 'other'), histories, async (schema, ops) => {
          now = Math.max(now, parseTime(T0)) + 10 * ABSOLUTE
          await history(nodes, schema, ops, {
            now: () => now,
            pass: (time) => {
              now += time
            },
          })
        }),
        { numRuns: (backend.name === 'pglite' ? 4 : 9) * MORE, includeErrorInReport: true },
      )
    })
  })
}

async function history(
  nodes: TestServer[],
  schema: Schema,
  ops: Op[],
  clock: { now(): Micros; pass(time: Micros): void },
) {
  const idle = IDLES[schema]
  const { session: first } = await signedIn(nodes[0]!)
  await nodes[0]!.db.query(SET_SCHEMA, [first.identity_id, schema])
  await nodes[0]!.deps.sessions.revoke(first, 'logout')
  const { session, token, headers, ends } = await signedIn(nodes[0]!, { ...first.identity, schema_id: schema })
  const start = clock.now()
  const model = {
    stored: start + LIFESPAN,
    proved: start,
    used: start,
    latest: start,
    collected: false,
    collectedAt: undefined as Micros | undefined,
  }

  /** When it certainly still counts, and when it certainly does not. */
  const bounds = () => {
    const fixed = Math.min(model.stored, start + ABSOLUTE)
    const used = Math.max(model.used, model.proved)
    return { earliest: Math.min(fixed, used + idle), latest: Math.min(fixed, used + idleAfterNote(idle)) }
  }

  /** What all answers that count as no use say; they agree. */
  async function shown(): Promise<boolean> {
    const answers = await Promise.all(
      nodes.flatMap(({ publicUrl, adminUrl, deps }) => [
        deps.endedSessions.endOf({ cookieTokens: [token] }).then((end) => end === undefined),
        json(`${adminUrl}/admin/sessions?active=true&page_size=5`).then(({ body }) =>
          body.some(({ id }: { id: string }) => id === session.id),
        ),
        json(`${adminUrl}/admin/sessions/${session.id}?expand=identity`).then(({ body }) => body.active as boolean),
        json(`${adminUrl}/admin/identities/${session.identity_id}/sessions?active=true`).then(
          ({ body }) => body.length === 1 && body[0].active,
        ),
        json(`${adminUrl}/admin/identities/${session.identity_id}/sessions?active=false`).then(
          ({ body }) => !body.some(({ id }: { id: string }) => id === session.id),
        ),
        json(`${publicUrl}/self-service/logout/browser`, headers).then(({ status }) => status === 200),
      ]),
    )
    assert.equal(new Set(answers).size, 1, `the answers differ: ${answers}`)
    return answers[0]!
  }

  async function use(node: TestServer): Promise<void> {
    const { status, body, cacheFor } = await json(`${node.publicUrl}/sessions/whoami`, headers)
    if (status !== 200) return assert.equal(status, 401)
    const left = parseTime(body.expires_at) - clock.now()
    // A clock that was set back reads notes of its own future.
    const ahead = Math.max(0, model.latest - clock.now())
    assert.ok(left > 0 && left <= idleAfterNote(idle) + ahead, `an answer promises ${left} µs`)
    assert.ok(parseTime(body.expires_at) <= start + ABSOLUTE)
    assert.ok(Number(cacheFor) * SECOND <= left)
    model.used = clock.now()
  }

  /** Nothing that may be kept by somebody promises more than the rules do. */
  async function useAnd(node: TestServer, kind: 'token' | 'cookie' | 'list' | 'stream', live: boolean): Promise<void> {
    const url = `${node.publicUrl}/sessions`
    if (kind === 'stream') assert.equal(await opens(`${url}/events`, headers), live)
    else if (kind === 'list') assert.equal((await json(url, headers)).status === 200, live)
    else {
      const answer =
        kind === 'token'
          ? await json(`${url}/whoami?tokenize_as=t`, headers)
          : await json(`${url}/whoami`, { cookie: cookieOf(node, token, clock.now()) })
      assert.equal(answer.status === 200, live)
      if (!live) return
      const { body, setCookie } = answer
      if (kind === 'token') assert.ok(decodeJwt(body.tokenized).exp! * SECOND <= parseTime(body.expires_at))
      const maxAge = /^ory_kratos_session=.*Max-Age=(\d+)/.exec(setCookie)?.[1]
      if (kind === 'cookie') {
        assert.ok(maxAge !== undefined, 'the cookie said that it was over')
        assert.ok(clock.now() + Number(maxAge) * SECOND <= Math.min(model.stored, start + ABSOLUTE))
      }
    }
    if (live) model.used = clock.now()
  }

  for (const one of ops) {
    if (one.kind === 'pass') {
      // Uses are written at the latest then; only what is written keeps a session alive.
      for (const { deps } of nodes) await deps.lastSeen.flush()
      clock.pass(one.seconds * SECOND)
      if (one.seconds < 0) continue
    } else {
      const node = nodes[one.node]!
      const wasLive = await shown()
      if (one.kind === 'use') await use(node)
      if (['token', 'cookie', 'list', 'stream'].includes(one.kind)) await useAnd(node, one.kind as 'token', wasLive)
      if (one.kind === 'collect') {
        await node.deps.collector.round()
        if (!wasLive) model.collectedAt ??= clock.now()
        model.collected ||= !wasLive
      }
      if (one.kind === 'extend') {
        await fetch(`${node.adminUrl}/admin/sessions/${session.id}/extend`, { method: 'PATCH' })
        if (wasLive) model.stored = clock.now() + LIFESPAN
      }
      if (one.kind === 'refresh') {
        const proof = { authentication: { method: 'password', aal: 'aal1' } } as const
        const rows = { identity: session.identity_id, session: session.id }
        const done = node.deps.locks.tx(rows, (tx) => node.deps.sessions.refresh(session, proof, tx))
        assert.equal(await done.then(Boolean, () => false), wasLive)
        if (wasLive) Object.assign(model, { stored: clock.now() + LIFESPAN, proved: clock.now() })
      }
    }
    model.latest = Math.max(model.latest, clock.now())
    const live = await shown()
    const { earliest, latest } = bounds()
    if (live) assert.ok(clock.now() < latest && !model.collected, 'it has ended and counts all the same')
    else assert.ok(clock.now() >= earliest || model.collected, 'it counts no more and has not ended')
  }

  const { body } = await json(`${nodes[1]!.adminUrl}/sessions/revocations`)
  const isListed = body.sessions.some(({ id }: { id: string }) => id === session.id)
  // Beyond its window no token lives that could be asked about.
  const mayBeGone = clock.now() - (model.collectedAt ?? 0) >= body.window_seconds * SECOND
  assert.ok(isListed === model.collected || (model.collected && mayBeGone), 'the list of revocations')
  const causes = (await ends()).map(({ cause }) => cause)
  assert.equal(causes.length, model.collected ? 1 : 0)
  assert.ok(causes.every((cause) => ['idle', 'absolute', 'expired'].includes(cause)))
}

async function json(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers: { accept: 'application/json', ...headers } })
  return {
    status: response.status,
    body: (await response.json()) as any,
    cacheFor: response.headers.get('ory-session-cache-for'),
    setCookie: response.headers.getSetCookie().find((line) => line.startsWith('ory_kratos_session=')) ?? '',
  }
}

/** Whether a stream opens; it is left at once. */
async function opens(url: string, headers: Record<string, string>): Promise<boolean> {
  const leave = new AbortController()
  const { status } = await fetch(url, { headers, signal: leave.signal })
  leave.abort()
  assert.ok([200, 401].includes(status), `a stream answers ${status}`)
  return status === 200
}

/** A cookie that is about to run out, as one does that was given before the session was extended. */
function cookieOf({ deps }: TestServer, token: string, now: Micros): string {
  const { session, secrets } = deps.config()
  const values = { session_token: token, expires_at: formatTime(now), nonce: 'n' }
  const { name } = session.cookie
  return `${name}=${encodeSecureCookie({ name, values, secrets: secrets.cookie, now, random: randomBytes })}`
}
