import { readFileSync } from 'node:fs'
import { type Clock, parseTime } from '../../src/kernel/base/clock.ts'
import type { Db } from '../../src/kernel/db/client.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import { openKratos, type Scope } from './db.ts'
import { type TestServer, testServer } from './server.ts'

interface Answer {
  status: number
  body: Record<string, unknown>
}

export interface LiveSession {
  kind: 'browser' | 'native'
  session_id: string
  identity_id: string
  session_token: string
  logout_token: string
  /** a whole Cookie header; of browser sessions only */
  cookie?: string
  row: { active: boolean; aal: string; expires_at: string }
  expect: { whoami: Answer; by_bearer: number; by_cookie?: number }
}

export interface LiveIdentity {
  id: string
  login_with: string
  /** null where none is set */
  password: string | null
  stored_hash: string | null
  admin_get: Record<string, unknown>
}

interface LiveFacts {
  network_id: string
  config: { identity: { schemas: { id: string; json: object }[] }; secrets: Record<string, string[]> }
  identities: Record<string, LiveIdentity>
  sessions: Record<string, LiveSession>
  flows: Record<string, { id: string; type: string; cookie?: string; csrf_token?: string }>
  /** `first_read` of those that nobody had read before the recording */
  errors: Record<string, { id: string; first_read?: Answer }>
}

/** What belongs to `live-kratos.sql`: secrets, passwords, tokens and the answers that Kratos gave. */
export const LIVE: LiveFacts = JSON.parse(
  readFileSync(new URL('../fixtures/live-kratos.json', import.meta.url), 'utf8'),
)

/** The configuration that Kratos ran with, as a file would hold it. */
export function liveConfig() {
  const schemas = LIVE.config.identity.schemas.map(({ id, json }) => ({
    id,
    url: `base64://${Buffer.from(JSON.stringify(json)).toString('base64')}`,
  }))
  return { ...LIVE.config, identity: { ...LIVE.config.identity, schemas } }
}

/** A day after the recording: short sessions of it have expired, the others have twenty years left. */
export const liveClock: Clock = { now: () => parseTime('2026-11-23T12:00:00Z') }

interface LiveOptions {
  /** merge patch */
  config?: Record<string, unknown>
  /** undefined: the system's */
  clock?: Clock | undefined
}

/** A clock that goes on by a millisecond whenever it is looked at, so that no two times are equal. */
export function tickingClock(): Clock {
  let now = liveClock.now()
  return {
    now() {
      now += 1001
      return now
    },
  }
}

/** A copy of the recorded database, adopted, and a server on it. */
export async function liveServer(t: Scope, options: LiveOptions = {}): Promise<TestServer> {
  const db = await openKratos(t)
  await migrateUp(db)
  return liveServerOn(t, db, options)
}

/** One more server on a copy that is adopted already. */
export function liveServerOn(t: Scope, db: Db, options: LiveOptions = {}): Promise<TestServer> {
  const clock = 'clock' in options ? options.clock : liveClock
  return testServer(t, { db, base: liveConfig(), config: options.config ?? {}, ...(clock ? { clock } : {}) })
}
