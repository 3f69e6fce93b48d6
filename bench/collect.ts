/**
 * Collects expired sessions as a running server does, while people sign in: `node --import tsx bench/collect.ts
 * [--sessions N]`. Prints the longest statement of each kind, the rate, and how long sign-ins took meanwhile.
 */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { formatTime, systemClock } from '../src/kernel/base/clock.ts'
import { loadMeta } from '../src/kernel/db/meta.ts'
import { migrateUp } from '../src/kernel/db/migrations/migrate.ts'
import { openDb } from '../src/kernel/db/open.ts'
import { createGc } from '../src/maintenance/service.ts'
import { createGcStore } from '../src/maintenance/store.ts'
import { createSessionStore } from '../src/sessions/store.ts'
import { startPostgres } from '../test/helpers/postgres.ts'
import { seed } from './seed.ts'

const { values: args } = parseArgs({
  options: { sessions: { type: 'string', default: '1000000' }, batch: { type: 'string', default: '100' } },
})
const sessions = Number(args.sessions)
const limit = Number(args.batch)
const clock = systemClock()
const times = new Map<string, number[]>()

const postgres = await startPostgres(['unix_socket_directories=', 'max_connections=100', 'shared_buffers=512MB'])
const db = await openDb(postgres.url, {
  onStatement: (name, seconds) => {
    times.set(name, [...(times.get(name) ?? []).slice(-200_000), seconds * 1000])
  },
})
await migrateUp(db)
const { nid } = await loadMeta(db, { kind: 'owned', now: formatTime(clock.now()), random: randomBytes })
process.stderr.write(`writing ${sessions} expired sessions\n`)
await seed(postgres.url, nid, sessions)
const raw = new pg.Client({ connectionString: postgres.url })
await raw.connect()
await raw.query("update sessions set expires_at = now() - interval '3 days' - random() * interval '10 days'")
await raw.query('vacuum (analyze) sessions')
const { rows: people } = await raw.query('select id from identities limit 1000')
times.clear()

const gc = createGc({ store: createGcStore(db, nid, false), clock })
const store = createSessionStore(db, nid, false)
let collecting = true
const signIns = (async () => {
  const took: number[] = []
  while (collecting) {
    const id = crypto.randomUUID()
    const now = formatTime(clock.now())
    const started = performance.now()
    await store.insert(newSession(id, now))
    took.push(performance.now() - started)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return took.sort((a, b) => a - b)
})()

const started = performance.now()
const ended = await gc.endExpiredSessions(limit)
const deleted = await gc.deleteExpiredSessions({ until: clock.now(), limit })
const seconds = (performance.now() - started) / 1000
collecting = false
const took = await signIns
const round = (value: number) => Math.round(value * 10) / 10
for (const [name, all] of times) {
  const sorted = [...all].sort((a, b) => a - b)
  const at = (share: number) => round(sorted[Math.floor((sorted.length - 1) * share)]!)
  process.stdout.write(
    `${name}: ${sorted.length} statements, median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms\n`,
  )
}
process.stdout.write(`${ended} ended and ${deleted} deleted in ${round(seconds)} s\n`)
process.stdout.write(
  `sign-ins meanwhile: ${took.length}, median ${round(took[took.length >> 1]!)} ms, longest ${round(took.at(-1)!)} ms\n`,
)
await raw.end()
await db.close()
await postgres.stop()

function newSession(id: string, now: string) {
  return {
    id,
    token: `bench-${id.slice(0, 30)}`,
    logoutToken: `lo_${id.replaceAll('-', '')}`,
    identityId: people[Math.floor(Math.random() * people.length)].id as string,
    now,
    expiresAt: '2099-01-01T00:00:00Z',
    aal: 'aal1' as const,
    methods: [{ method: 'password', aal: 'aal1' as const, completed_at: now }],
    device: { id: crypto.randomUUID(), ip_address: '192.0.2.1', user_agent: 'bench', location: '' },
  }
}
