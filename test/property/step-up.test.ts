import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closingScope, postgres } from '../helpers/db.ts'
import fc, { MORE } from '../helpers/fast-check.ts'
import { createFactorWorld, KINDS, type Op, type Step } from './factor-story.ts'

/**
 * Whatever is asked of two nodes on one database, at once and in any order: a second factor never brings back a session
 * that has ended, and a session of one factor is never served where two are required, nor makes itself one of two while
 * its person has a factor.
 */

/** More than any request has. */
const MOST_STATEMENTS = 14

const op = (kinds: readonly Op['kind'][]) =>
  fc.record({ kind: fc.constantFrom(...kinds), node: fc.nat(1), person: fc.nat(1), session: fc.nat(7) })
const ENDS: Op['kind'][] = ['logout', 'adminRevoke', 'endOthers', 'endAll']
const RACES: Op['kind'][] = ['byCode', 'byCode', 'byApp', 'refresh', 'look', 'profile', 'link', 'unlink', ...ENDS]

/** At once, mostly about one session. */
const together: fc.Arbitrary<Step> = fc
  .tuple(fc.nat(7), fc.array(op([...RACES, ...KINDS]), { minLength: 2, maxLength: 5 }), fc.boolean())
  .map(([session, ops, same]) => ({ ops: same ? ops.map((one) => ({ ...one, session })) : ops }))

/** One changes what a session is worth, and is held at a statement while that session ends, or its person changes it too. */
const LATE: Op['kind'][] = ['byCode', 'byApp', 'refresh', 'link', 'makeCodes', 'profile']
const held: fc.Arbitrary<Step> = fc
  .tuple(
    fc.nat(7),
    op(LATE),
    op([...ENDS, 'link', 'makeCodes', 'unlink']),
    fc.integer({ min: 1, max: MOST_STATEMENTS }),
  )
  .map(([session, late, meanwhile, at]) => ({
    at,
    ops: [
      { ...late, session },
      { ...meanwhile, session },
    ],
  }))

/**
 * Steps of `kind:session`; those with a comma between them happen at once. Sessions 0 and 1 are there from the start.
 * `3@…`: the first is held at its third statement, and the others happen meanwhile.
 */
const told = (story: string): Step[] =>
  story.split(' ').map((step) => {
    const [, at, list] = /^(?:(\d+)@)?(.*)$/.exec(step) as unknown as [string, string | undefined, string]
    const ops = list.split(',').map((text, i): Op => {
      const [kind, session] = text.split(':') as [Op['kind'], string]
      return { kind, session: Number(session), node: i % 2, person: i < 2 ? 0 : 1 }
    })
    return { ops, at: at === undefined ? undefined : Number(at) }
  })
const statements = (step: (at: number) => string) =>
  Array.from({ length: MOST_STATEMENTS }, (_, i) => step(i + 1)).join(' ')

const SET_UP = 'makeCodes:0 link:0 login:0'
const EXAMPLES = [
  // Each kind once, where it has something to do.
  'look:0 profile:0 refresh:0 makeCodes:0 link:0 login:0 byCode:2 login:0 byApp:3 disableCodes:3 unlink:3 link:3 ' +
    'adminUnlink:3 endOthers:2 logout:2 login:0 adminRevoke:4 login:0 endAll:5',
  // A session is proved by two factors while it ends.
  `${SET_UP} byCode:2,logout:2,byCode:2,byApp:2 login:0 byCode:3,adminRevoke:3,byCode:3,byApp:3`,
  `${SET_UP} byCode:2,endOthers:0,byCode:2,byApp:2 login:0 byCode:3,endAll:3,byCode:3,byApp:3`,
  // The same at each statement.
  `${SET_UP} ${statements((at) => `${at}@byCode:${at + 1},adminRevoke:${at + 1} login:0`)}`,
  // Two sessions of one factor both set up the first second one.
  'login:0 link:0,makeCodes:2 endAll:0 login:0 look:3',
]

const STORIES = 2 * MORE

test('a step-up revives nothing, and one factor never passes for two', async () => {
  const scope = closingScope()
  const world = await createFactorWorld(scope, postgres)
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(together, held), { minLength: 3, maxLength: 7 }),
        fc.nat(),
        async (steps, delays) => {
          const story = await world.begin(delays)
          for (const step of steps) await story.together(step)
          await story.conclude()
        },
      ),
      // Races do not repeat, so there is no sense in looking for a smaller one.
      {
        numRuns: EXAMPLES.length + STORIES,
        examples: EXAMPLES.map((story, i) => [told(story), i]),
        endOnFailure: true,
      },
    )
    assert.deepEqual(world.unused(), [], 'some operations never did anything')
  } finally {
    await scope.close()
  }
})
