import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { backends, type Scope } from '../helpers/db.ts'
import { testServer, WIRE_CONFIGS } from '../helpers/server.ts'
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

const only = process.env.WIRE_AREA?.split(',')
const selected = areas.filter(({ area }) => only === undefined || only.includes(area))
const all = selected.flatMap(({ area, scenarios }) => scenarios.map((scenario) => ({ area, scenario })))
const kept = all.filter(({ scenario }) => !scenario.tags?.some((tag) => LEFT_OUT.includes(tag)))

for (const backend of backends()) {
  for (const config of Object.keys(WIRE_CONFIGS)) {
    const scenarios = kept.filter(({ scenario }) => (scenario.config ?? 'default') === config)
    if (scenarios.length === 0) continue
    describe(`recorded answers on ${backend.name}, configuration ${config}`, () => {
      const scope = closingScope()
      const server = testServer(scope, { backend, wireConfig: config })
      for (const { area, scenario } of scenarios) {
        test(`${area}: ${scenario.name}`, async () => {
          const { publicUrl, adminUrl } = await server
          await play(scenario, { public: publicUrl, admin: adminUrl })
        })
      }
      test('close', () => scope.close())
    })
  }
}

/** One server for all scenarios of a configuration, since a scenario makes its own identities. */
function closingScope(): Scope & { close(): Promise<void> } {
  const endings: (() => Promise<void>)[] = []
  return {
    after: (work) => void endings.push(work),
    async close() {
      for (const work of endings.reverse()) await work()
    },
  }
}
