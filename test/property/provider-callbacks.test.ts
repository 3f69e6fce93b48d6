import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SECOND, systemClock } from '../../src/kernel/base/clock.ts'
import { sql } from '../../src/kernel/db/client.ts'
import { Client } from '../helpers/client.ts'

import fc, { MORE } from '../helpers/fast-check.ts'
import { leaveFor, serverWithProvider, type WithProvider } from '../helpers/provider-sign-in.ts'
import { pathOf } from '../helpers/ui.ts'

/**
 * Whatever comes to the callback, in any order and at once: a session begins only for the code that the provider gave for
 * the very request, brought back by the browser that left with it (or for the app that began), in time, and once.
 */

const LIFESPAN = 600
const COUNT = sql('test.count_sessions', 'select count(*)::int as count from sessions')

interface Departure {
  kind: 'browser' | 'app' | 'app that waits'
  client: Client
  state: string
  code: string
  /** path of the callback */
  path: string
  initCode: string | undefined
  begun: number
}

type World = WithProvider & { late: { seconds: number } }

async function depart({ server, provider, late }: World, kind: Departure['kind'], entry: string): Promise<Departure> {
  const client = new Client(server)
  let authorize: string
  let initCode: string | undefined
  if (kind === 'browser') authorize = await leaveFor(client, entry)
  else {
    const wish = kind === 'app that waits' ? '?return_session_token_exchange_code=true' : ''
    const flow = (await client.get(`/self-service/login/api${wish}`)).body
    initCode = flow.session_token_exchange_code
    const sent = await client.send('POST', pathOf(flow.ui.action), { json: { method: 'oidc', provider: entry } })
    authorize = sent.body.redirect_browser_to
  }
  const back = new URL(provider.signIn(authorize, { sub: 'ada', email: `${entry}@example.org` }))
  const { state, code } = Object.fromEntries(back.searchParams) as { state: string; code: string }
  return { kind, client, state, code, path: back.pathname, initCode, begun: late.seconds }
}

/** How a callback differs from what the provider sent. Each number is a departure; -1: none. */
interface Callback {
  state: number
  code: number
  browser: number
  path: number
  harm: 'none' | 'flip' | 'cut' | 'double' | 'no state' | 'no code' | 'other path' | 'HEAD' | 'prefetch' | 'garbage'
  at: number
}

const GARBAGE = ['', '00', 'zz', 'ff'.repeat(13), 'ff'.repeat(64), 'a'.repeat(5000), '\0', '%', '{}']

function send(world: World, all: readonly Departure[], c: Callback) {
  const of = (index: number) => all[index % all.length]!
  const query = new URLSearchParams({ code: of(c.code).code, state: altered(of(c.state).state, c) })
  if (c.harm === 'no state') query.delete('state')
  if (c.harm === 'no code') query.delete('code')
  const own = of(c.path).path
  const path = c.harm === 'other path' ? own.replace(/\/(one|two)$/, (_, id) => (id === 'one' ? '/two' : '/one')) : own
  const client = c.browser < 0 ? new Client(world.server) : of(c.browser).client
  const method = c.harm === 'HEAD' ? 'HEAD' : 'GET'
  const headers: Record<string, string> = c.harm === 'prefetch' ? { 'sec-purpose': 'prefetch;prerender' } : {}
  return client.send(method, `${path}?${query}`, { headers })
}

function altered(state: string, { harm, at }: Callback): string {
  const place = at % state.length
  if (harm === 'flip') return state.slice(0, place) + (state[place] === '0' ? '1' : '0') + state.slice(place + 1)
  if (harm === 'cut') return state.slice(0, place)
  if (harm === 'double') return state + state
  return harm === 'garbage' ? GARBAGE[at % GARBAGE.length]! : state
}

/** The departure for which a session may begin by it. */
function rightful({ provider, late }: World, all: readonly Departure[], c: Callback): Departure | undefined {
  const one = all[c.state % all.length]!
  const same = (index: number) => index >= 0 && all[index % all.length] === one
  const waits = one.kind === 'app that waits'
  const samePath = all[c.path % all.length]!.path === one.path
  const right = c.harm === 'none' && samePath && (waits || same(c.browser)) && same(c.code)
  return right && late.seconds - one.begun < LIFESPAN && provider.holds(one.code) ? one : undefined
}

const right = (i: number): Callback => ({ state: i, code: i, browser: i, path: i, harm: 'none', at: 0 })

const callback = (index: fc.Arbitrary<number>): fc.Arbitrary<Callback> =>
  fc.oneof(
    {
      weight: 1,
      arbitrary: index.map((i): Callback => ({ state: i, code: i, browser: i, path: i, harm: 'none', at: 0 })),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(index, fc.constantFrom('state' as const, 'code' as const, 'browser' as const, 'path' as const), index)
        .map(([one, foreign, other]): Callback => ({ ...right(one), [foreign]: other })),
    },
    { weight: 1, arbitrary: index.map((one): Callback => ({ ...right(one), browser: -1 })) },
    {
      weight: 2,
      arbitrary: fc
        .record({
          one: index,
          harm: fc.constantFrom<Callback['harm']>(
            ...([
              'flip',
              'flip',
              'cut',
              'double',
              'no state',
              'no code',
              'other path',
              'HEAD',
              'prefetch',
              'garbage',
            ] as const),
          ),
          at: fc.nat(1000),
        })
        .map(({ one, harm, at }): Callback => ({ state: one, code: one, browser: one, path: one, harm, at })),
    },
  )

const story = fc.record({
  departures: fc.array(
    fc.record({
      kind: fc.constantFrom<Departure['kind']>('browser', 'browser', 'app that waits', 'app'),
      entry: fc.constantFrom('one', 'two'),
    }),
    { minLength: 2, maxLength: 4 },
  ),
  steps: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.array(callback(fc.nat(11)), { minLength: 1, maxLength: 4 }) },
      { weight: 1, arbitrary: fc.constant('too late' as const) },
    ),
    { minLength: 2, maxLength: 6 },
  ),
})

/** Each member of another sign-in alone, of a browser that has left in the same way; then the right one beside it. */
const SWAPPED = (['one', 'two'] as const).flatMap((entry) =>
  (['state', 'code', 'browser', 'path'] as const).map((foreign) => ({
    departures: [0, 1].map(() => ({ kind: 'browser' as const, entry })),
    steps: [[{ ...right(0), [foreign]: 1 }], [right(0), { ...right(1), [foreign]: 0 }]],
  })),
)

/** A sign-in that is over brings the code of another: nobody asks the provider, and the other comes in all the same. */
const OVER = {
  departures: [0, 1].map(() => ({ kind: 'browser' as const, entry: 'one' as const })),
  steps: [[right(1)], [{ ...right(1), code: 0 }], [right(0)]],
}

const EXAMPLES = [...SWAPPED, OVER]

describe('the way back from a provider', () => {
  test('begins a session only for the browser that left, once', async (t) => {
    const late = { seconds: 0 }
    const real = systemClock()
    const clock = { ...real, now: () => real.now() + late.seconds * SECOND }
    const entries = (p: WithProvider['provider']) => [p.entry('one'), p.entry('two', { pkce: 'never' })]
    const world = { ...(await serverWithProvider(t, { clock }, entries)), late }
    const count = async () => (await world.server.db.query<{ count: number }>(COUNT))[0]!.count
    for (const entry of ['one', 'two']) {
      const { client, path, code, state } = await depart(world, 'browser', entry)
      assert.equal((await client.get(`${path}?code=${code}&state=${state}`)).status, 200)
    }
    let begun = 0
    await fc.assert(
      fc.asyncProperty(story, async ({ departures, steps }) => {
        const all = await Promise.all(departures.map(({ kind, entry }) => depart(world, kind, entry)))
        for (const step of steps) {
          if (step === 'too late') {
            late.seconds += LIFESPAN + 1
            continue
          }
          const before = await count()
          const rights = step.map((one) => rightful(world, all, one))
          const allowed = new Set(rights.filter((one) => one !== undefined))
          const answers = await Promise.all(step.map((one) => send(world, all, one)))
          const made = (await count()) - before
          assert.ok(made <= allowed.size, `${made} sessions began where ${allowed.size} might`)
          begun += made
          for (const [index, { status, setCookie, text }] of answers.entries()) {
            assert.ok(status < 500, `${status}: ${text}`)
            // an app gets its session by its own code, never the browser that somebody signs in with for it
            const cookies = setCookie.filter((cookie) => /^ory_kratos_session=[^;]/.test(cookie))
            if (rights[index]?.kind !== 'browser') assert.deepEqual(cookies, [])
          }
        }
        // whoever was not robbed of the code comes in all the same
        for (const [index, { code, begun: at }] of all.entries()) {
          if (!world.provider.holds(code) || late.seconds - at >= LIFESPAN) continue
          const before = await count()
          const { status } = await send(world, all, right(index))
          assert.deepEqual([status < 400, (await count()) - before], [true, 1])
          begun += 1
        }
      }),
      { numRuns: EXAMPLES.length + 5 * MORE, examples: EXAMPLES.map((one): [typeof one] => [one]) },
    )
    assert.ok(begun > 3, 'nobody came back rightly, so that nothing was shown')
  })
})
