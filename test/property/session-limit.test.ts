import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Micros, parseTime, SECOND } from '../../src/kernel/base/clock.ts'
import { HttpError } from '../../src/kernel/http/errors.ts'
import { postgres } from '../helpers/db.ts'
import fc, { MORE } from '../helpers/fast-check.ts'
import { testServer } from '../helpers/server.ts'
import { signedIn, T0 } from '../helpers/sessions.ts'

/**
 * Sign-ins of one person on two nodes, under a limit of sessions at once, while others end by themselves or are ended: there
 * are never more than allowed, none ends for another while there is room, and it is the one that began first that does.
 */

const MAX = 3
const ABSOLUTE = 3600 * SECOND

type Op =
  | { kind: 'sign in' | 'collect'; node: number }
  | { kind: 'end'; which: number }
  | { kind: 'pass'; seconds: number }

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('sign in' as const), node: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('collect' as const), node: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(MAX) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      seconds: fc.constantFrom(1, 600, 1799, 1800, 3599, 3600),
    }),
  },
)

for (const when_full of ['end_oldest', 'refuse'] as const) {
  test(`at most ${MAX} sessions at once, whatever comes: ${when_full}`, async (t) => {
    const db = await postgres.open(t)
    let now: Micros = parseTime(T0)
    const rules = { absolute_timeout: '1h', schemas: { default: { max_per_identity: MAX, when_full } } }
    const options = { db, config: { lethe: { sessions: rules } }, clock: { now: () => now } }
    const nodes = [await testServer(t, options), await testServer(t, options)] as const

    async function history(ops: Op[]): Promise<void> {
      const { session: first } = await signedIn(nodes[0])
      let live = [{ id: first.id, end: now + ABSOLUTE }]
      let limited = 0
      for (const one of ops) {
        if (one.kind === 'pass') now += one.seconds * SECOND
        live = live.filter(({ end }) => end > now)
        if (one.kind === 'collect') await nodes[one.node]!.deps.collector.round()
        const ended = one.kind === 'end' ? live[one.which] : undefined
        if (ended) await nodes[0].deps.sessions.revoke(ended, 'logout')
        live = live.filter((session) => session !== ended)
        if (one.kind === 'sign in') {
          now += SECOND
          live = live.filter(({ end }) => end > now)
          const begun = await signedIn(nodes[one.node]!, first.identity).catch((error: unknown) => {
            assert.ok(error instanceof HttpError && error.status === 400, String(error))
            return undefined
          })
          assert.equal(begun === undefined, when_full === 'refuse' && live.length === MAX)
          if (begun && live.length === MAX) {
            live.shift()
            limited += 1
          }
          if (begun) live.push({ id: begun.session.id, end: now + ABSOLUTE })
        }
        for (const { adminUrl } of nodes) {
          const answer = await fetch(`${adminUrl}/admin/identities/${first.identity_id}/sessions?active=true`)
          const shown = ((await answer.json()) as { id: string }[]).map(({ id }) => id)
          assert.deepEqual(shown.sort(), live.map(({ id }) => id).sort())
        }
      }
      const told = await fetch(
        `${nodes[1].adminUrl}/admin/events?identity_id=${first.identity_id}&cause=limit&page_size=100`,
      )
      assert.equal(((await told.json()) as unknown[]).length, limited)
    }

    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 4, maxLength: 16 }), async (ops) => {
        now += 10 * ABSOLUTE
        await history(ops)
      }),
      { numRuns: 6 * MORE, includeErrorInReport: true },
    )
  })
}
