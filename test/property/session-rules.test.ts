import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Micros, parseTime, SECOND } from '../../src/kernel/base/clock.ts'
import { idleAfterNote } from '../../src/sessions/rules.ts'
import { backends } from '../helpers/db.ts'
import { type TestServer, testServer } from '../helpers/server.ts'
import { signedIn, T0 } from '../helpers/sessions.ts'

/**
 * A session under an idle and an absolute limit, on two nodes of one database: whatever is done with it, and however much
 * time passes in between, no answer says that it is live once a rule has ended it, none says that it has ended before, and
 * all of them agree.
 */

const LIFESPAN = 3600 * SECOND
const IDLE = 600 * SECOND
const ABSOLUTE = 7200 * SECOND

type Op = { kind: 'use' | 'extend' | 'refresh' | 'collect' | 'look'; node: number } | { kind: 'pass'; seconds: number }

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('use', 'use', 'extend', 'refresh', 'collect', 'look'),
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
        fc.constantFrom(-2, 1, 9, 590, 599, 600, 601, 609, 615, 616, 3599),
      ),
    }),
  },
)

for (const backend of backends()) {
  describe(`rules on ${backend.name}`, () => {
    test('every answer keeps to them', async (t) => {
      const db = await backend.open(t)
      let now: Micros = parseTime(T0)
      const rules = { idle_timeout: '10m', absolute_timeout: '2h' }
      const config = {
        session: { lifespan: '1h' },
        feature_flags: { cacheable_sessions: true },
        lethe: { sessions: rules },
      }
      const nodes = [
        await testServer(t, { db, config, clock: { now: () => now } }),
        await testServer(t, { db, config, clock: { now: () => now } }),
      ]
      await fc.assert(
        fc.asyncProperty(fc.array(op, { minLength: 3, maxLength: 14 }), async (ops) => {
          now = Math.max(now, parseTime(T0)) + 10 * ABSOLUTE
          await history(nodes, ops, {
            now: () => now,
            pass: (time) => {
              now += time
            },
          })
        }),
        { numRuns: 12, includeErrorInReport: true },
      )
    })
  })
}

async function history(nodes: TestServer[], ops: Op[], clock: { now(): Micros; pass(time: Micros): void }) {
  const { session, headers, ends } = await signedIn(nodes[0]!)
  const start = clock.now()
  const model = { stored: start + LIFESPAN, proved: start, used: start, latest: start, collected: false }

  /** When it certainly still counts, and when it certainly does not. */
  const bounds = () => {
    const fixed = Math.min(model.stored, start + ABSOLUTE)
    const used = Math.max(model.used, model.proved)
    return { earliest: Math.min(fixed, used + IDLE), latest: Math.min(fixed, used + idleAfterNote(IDLE)) }
  }

  /** What all answers that count as no use say; they agree. */
  async function shown(): Promise<boolean> {
    const answers = await Promise.all(
      nodes.flatMap(({ publicUrl, adminUrl }) => [
        json(`${adminUrl}/admin/sessions/${session.id}?expand=identity`).then(({ body }) => body.active as boolean),
        json(`${adminUrl}/admin/identities/${session.identity_id}/sessions?active=true`).then(
          ({ body }) => body.length === 1 && body[0].active,
        ),
        json(`${adminUrl}/admin/identities/${session.identity_id}/sessions?active=false`).then(
          ({ body }) => body.length === 0,
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
    assert.ok(left > 0 && left <= idleAfterNote(IDLE) + ahead, `an answer promises ${left} µs`)
    assert.ok(parseTime(body.expires_at) <= start + ABSOLUTE)
    assert.ok(Number(cacheFor) * SECOND <= left)
    model.used = clock.now()
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
      if (one.kind === 'collect') {
        await node.deps.collector.round()
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
  }
}
