import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { type Clock, systemClock } from '../../src/kernel/base/clock.ts'
import { createHasher } from '../../src/kernel/crypto/passwords/passwords.ts'
import { type Backend, closingScope, pglite, postgres } from '../helpers/db.ts'
import { freePort } from '../helpers/free-port.ts'
import { cheapHasherSettings } from '../helpers/hasher.ts'
import { type TestServer, testServer, WIRE_CONFIGS } from '../helpers/server.ts'
import { PENDING, PENDING_SCENARIOS } from './pending.ts'
import { play, type Scenario } from './scenario.ts'

const FOLDER = new URL('../fixtures/wire/', import.meta.url)

/**
 * Left out: where Kratos errs, tests of ours state the right outcome; texts of Go's libraries and odd details are not
 * worth copying.
 */
const LEFT_OUT = ['kratos-bug', 'go-text', 'quirk']

const areas = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json') && file !== 'configs.json')
  .map((file): { area: string; scenarios: Scenario[] } => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')))

/** Recorded truly, and deliberately answered otherwise. */
const OTHERWISE: Record<string, string> = {
  'oidc-settings: case=unlink/type=spa': 'no credential is left that holds nothing',
  'oidc-native: case=without exchange code, the app keeps cookies': 'a way back that was used is refused as any other',
  'oidc-callback: case=two choices in one browser': 'each of several sign-ins begun beside each other comes back',
  'webauthn: case=add with the default origin':
    'one step answers 500 for what a client did wrong; ours a 400 with a form',
  'aal2: case=an aal1 session ends others': 'one that had ended before is not counted among those that ended now',
  'aal2: case=identity disabled while the second factor is checked': '401 at once, not a session that nobody can use',
  'oidc-registration: case=register without the session hook/type=browser': 'no session is left that nobody holds',
  'oidc-registration: case=all claims of an id token': 'a nonce that is not the one that was sent is refused',
  'oidc-errors: case=mapper: a trait that the schema does not know': 'the form has inputs for known traits alone',
}

const only = process.env.WIRE_AREA?.split(',')
const selected = areas.filter(({ area }) => (only === undefined ? !PENDING.includes(area) : only.includes(area)))
const all = selected.flatMap(({ area, scenarios }) => scenarios.map((scenario) => ({ area, scenario })))
const kept = all.filter(
  ({ area, scenario: { name, tags } }) =>
    !tags?.some((tag) => LEFT_OUT.includes(tag)) &&
    !(`${area}: ${name}` in OTHERWISE) &&
    !(only === undefined && PENDING_SCENARIOS.includes(`${area}: ${name}`)),
)

/** Where the counterparts of the server listen: a mailbox, a receiver of hooks, a provider. One of each a process. */
const [smtp, hook, op] = await Promise.all([freePort(), freePort(), freePort()])
const words = { smtp: `127.0.0.1:${smtp}`, hook: `http://127.0.0.1:${hook}`, op: `http://127.0.0.1:${op}` }

/** Most scenarios wait for something: a message, a code, a time that passes. */
const AT_ONCE = 4

/** Plays every recorded scenario on one kind of database, each with the configuration that it was recorded with. */
export function replayOn(backend: Backend): void {
  // The tables of Kratos make no difference to any setting, nor does the server of the database: once through is enough
  // there, and all of it where time does not matter.
  const whole = backend === pglite || (backend === postgres && process.env.WIRE_BACKENDS === 'all')
  const configs = whole ? Object.keys(WIRE_CONFIGS) : ['default']
  describe(`recorded answers on ${backend.name}`, { concurrency: AT_ONCE }, () => {
    for (const config of configs) {
      const scenarios = kept.filter(({ scenario }) => (scenario.config ?? 'default') === config)
      if (scenarios.length > 0) playAll(backend, config, scenarios)
    }
  })
}

function playAll(backend: Backend, config: string, scenarios: typeof kept): void {
  describe(`configuration ${config}`, { concurrency: 1 }, () => {
    // One server for all of them, since a scenario makes its own identities; begun when its turn comes: dozens of
    // databases in one process at once slow each other down to their deadlines.
    const scope = closingScope()
    let server: TestServer
    const clock = SHORT_LIVED.test(JSON.stringify(WIRE_CONFIGS[config])) ? clockOfScenarios() : undefined
    before(async () => {
      server = await testServer(scope, { backend, wireConfig: config, words, ...(clock && { clock }) })
    })
    after(() => scope.close())
    for (const { area, scenario } of scenarios) {
      test(`${area}: ${scenario.name}`, async (t) => {
        const costly = { backend, wireConfig: config, words, hasher: costlyHasher() }
        const { publicUrl, adminUrl } = looksAtHash(scenario) ? await testServer(t, costly) : server
        clock?.begin()
        await play(scenario, { public: publicUrl, admin: adminUrl }, words, clock?.wait)
      })
    }
  })
}

/** Configurations in which something lives for milliseconds or a few seconds. */
const SHORT_LIVED = /"(lifespan|privileged_session_max_age)":"(\d+ms|\ds)"/

/** Time passes where a scenario waits and hardly elsewhere: what lives for two seconds outlives any pause of the machine. */
function clockOfScenarios(): Clock & { begin(): void; wait(ms: number): void } {
  const wall = systemClock()
  let now = wall.now()
  return {
    now() {
      now += 1001
      return now
    },
    /** Counterparts look at the wall clock: one-time codes fit for half a minute. */
    begin() {
      now = Math.max(now, wall.now())
    },
    wait(ms) {
      now += ms * 1000
    },
  }
}

/** Passwords are hashed cheaply here, but for the scenarios that show a hash: they were recorded at the real cost. */
function looksAtHash(scenario: Scenario): boolean {
  return JSON.stringify(scenario).includes('"$2a$12$')
}

function costlyHasher() {
  return createHasher(() => ({ ...cheapHasherSettings, dev: false }), { random: randomBytes })
}
