import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { adopted, type Backend, closingScope, pglite, postgres } from '../helpers/db.ts'
import fc, { MORE } from '../helpers/fast-check.ts'
import { createWorld, type Op, type World } from './world.ts'

/**
 * Whatever is asked of two nodes on one database, at once and in any order: a session that has ended lets nobody in
 * again and changes nothing, one that nobody ended lets its owner in, a password that was replaced leaves no session, and
 * every end is one event.
 */

const pick = fc.nat(20)
const op = (kinds: readonly Op['kind'][]) =>
  fc.record({ kind: fc.constantFrom(...kinds), node: fc.nat(1), session: pick, other: pick, person: fc.nat(1) })

const COMMON = [
  ...['login', 'login', 'whoami', 'whoami', 'extend', 'refresh', 'logoutUrl', 'logoutNative', 'logoutPost'],
  ...['logoutOthers', 'logoutAll', 'logoutNamed', 'ownOther', 'ownOthers', 'adminDeleteAll'],
  ...['import', 'collect', 'disable', 'adminRevoke', 'profile', 'profile', 'setPassword'],
] as Op['kind'][]

const RACING: Op['kind'][] = [
  ...(['refresh', 'refresh', 'extend', 'logoutUrl', 'logoutNative', 'logoutPost', 'logoutAll', 'adminRevoke'] as const),
  ...(['whoami', 'profile', 'profile', 'login', 'setPassword', 'ownOthers'] as const),
]

type Step = Op[] | 'half a life'

/** Steps of things that happen at once; time passes only between them. */
const history = (kinds: readonly Op['kind'][]): fc.Arbitrary<Step[]> =>
  fc.array<Step>(
    fc.oneof(
      { weight: 3, arbitrary: fc.array(op(kinds), { minLength: 1, maxLength: 5 }) },
      // all of them about one session
      {
        weight: 4,
        arbitrary: fc
          .tuple(pick, fc.array(op(RACING), { minLength: 2, maxLength: 5 }))
          .map(([session, ops]) => ops.map((op) => ({ ...op, session, other: session }))),
      },
      { weight: 1, arbitrary: fc.constant('half a life' as const) },
    ),
    { minLength: 2, maxLength: 9 },
  )

/** Each kind once, one after the other, on sessions for which it has something to do. */
function tour(kinds: readonly Op['kind'][]): Step[] {
  let sessions = 2
  return [...new Set(kinds)].flatMap((kind): Step[] => {
    const login: Op = { kind: 'login', node: 0, session: 0, other: 0, person: 0 }
    sessions += kind === 'login' ? 3 : 2
    // the session that the one before was about, which has ended by then
    const session = kind === 'revival' ? sessions - 3 : sessions - 1
    return [[login], [login], [{ kind, node: 1, session, other: sessions - 2, person: 0 }]]
  })
}

/** A session that ran out and that nobody has noticed yet. */
const afterItsTime: Step[] = [
  'half a life',
  'half a life',
  'half a life',
  ...(['whoami', 'extend', 'refresh', 'whoami'] as const).map((kind): Op[] => [
    { kind, node: 0, session: 0, other: 0, person: 0 },
  ]),
]

const RUNS: [Backend, number, readonly Op['kind'][]][] = [
  [postgres, 20, COMMON],
  // A running Kratos beside it writes whole rows back, `active` included.
  [adopted, 15, [...COMMON, 'revival', 'revival']],
  [pglite, 4, COMMON],
]

for (const [backend, numRuns, kinds] of RUNS) {
  describe(`two nodes on ${backend.name}`, () => {
    test('ended stays ended, and every end is one event', async () => {
      const scope = closingScope()
      const world: World = await createWorld(scope, backend)
      try {
        await fc.assert(
          fc.asyncProperty(history(kinds), fc.nat(), async (steps, delays) => {
            const story = await world.begin(delays)
            for (const step of steps) {
              if (step === 'half a life') story.passTime()
              else await story.together(step)
            }
            await story.conclude()
          }),
          // Races do not repeat, so there is no sense in looking for a smaller one.
          {
            numRuns: numRuns * MORE,
            examples: [
              [tour(kinds), 1],
              [afterItsTime, 1],
            ],
            endOnFailure: true,
          },
        )
        assert.deepEqual(world.unused(kinds), [], 'some operations never did anything')
      } finally {
        await scope.close()
      }
    })
  })
}
