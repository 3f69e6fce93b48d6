import { readFileSync } from 'node:fs'
import { type Clock, parseTime } from '../../src/kernel/base/clock.ts'
import { migrateUp } from '../../src/kernel/db/migrations/migrate.ts'
import * as authenticator from '../fixtures/wire-actors/webauthn.mjs'
import { type Client, csrfOf, type Person, type Reply } from './client.ts'
import { openKratos, type Scope } from './db.ts'
import { type TestServer, testServer } from './server.ts'

interface LiveKey {
  id: string
  user_handle: string
  counter: number
  alg: string
  jwk: object
  /** whether it can be, and is, backed up */
  be?: boolean
  bs?: boolean
}

export interface LivePerson {
  id: string
  email: string
  password?: string
  totp?: { secret: string }
  lookup_secret?: { codes: string[]; used: string[] }
  webauthn?: Record<string, LiveKey>
  passkey?: Record<string, LiveKey>
  admin_get: Record<string, { type: string; version: number; identifiers: string[]; config?: object }>
}

interface LiveFlow {
  id: string
  session?: string
  csrf_token?: string
  cookie?: string
  /** of the key that is asked for, as the page shows them */
  options?: string
  secret?: string
  codes?: string[]
}

interface Facts {
  origin: string
  config: { identity: { schemas: { id: string; json: object }[] } }
  identities: Record<string, LivePerson>
  sessions: Record<
    string,
    { identity_id: string; session_token: string; cookie?: string; whoami: { status: number; body: object } }
  >
  flows: Record<string, LiveFlow>
}

/** What belongs to `live-mfa.sql`: secrets, keys, passwords, tokens and the answers that Kratos gave. */
export const FACTORS: Facts = JSON.parse(readFileSync(new URL('../fixtures/live-mfa.json', import.meta.url), 'utf8'))
/** as the configuration has it */
const RP_ID = 'example.org'
const DATA = new URL('../fixtures/live-mfa.sql', import.meta.url)

/** A day after the recording. */
export const TIME = '2026-11-28T12:00:00Z'
export const factorClock: Clock = { now: () => parseTime(TIME) }

/** A copy of the recorded database, adopted, and a server with the configuration that Kratos ran with. */
export async function factorServer(t: Scope, config: Record<string, unknown> = {}): Promise<TestServer> {
  const db = await openKratos(t)
  await db.script(`truncate networks, identity_credential_types cascade; ${readFileSync(DATA, 'utf8')}`)
  await migrateUp(db)
  const schemas = FACTORS.config.identity.schemas.map(({ id, json }) => ({
    id,
    url: `base64://${Buffer.from(JSON.stringify(json)).toString('base64')}`,
  }))
  const base = { ...FACTORS.config, identity: { ...FACTORS.config.identity, schemas } }
  return testServer(t, { db, base, config, clock: factorClock })
}

export const personOf = ({ id, email, password }: LivePerson): Person => ({
  identityId: id,
  email,
  password: password ?? '',
})

/** The keys that people hold in their hands. */
export async function keysInHand() {
  const state = {}
  const keys = Object.values(FACTORS.identities).flatMap(({ webauthn, passkey }) =>
    Object.entries({ ...webauthn, ...passkey }),
  )
  for (const [key, { user_handle: userHandle, ...rest }] of keys) {
    await authenticator.load({ key, userHandle, rpId: RP_ID, ...rest }, { state })
  }
  const held = new Map(keys)
  return {
    /** @param faults what the key, or the browser around it, does wrong */
    async sign(key: string, options: string, faults: object = {}): Promise<string> {
      const { be = false, bs = false } = held.get(key) ?? {}
      const answer = { options, key, origin: FACTORS.origin, uv: true, be, bs, ...faults }
      return (await authenticator.get(answer, { state })).response
    },
    make: (key: string, options: string) =>
      authenticator.create({ options, key, origin: FACTORS.origin, uv: true }, { state }),
  }
}

/** The value of an input, or the text of a node, of a form. */
export function shownIn(flow: any, name: string): string {
  const { attributes } = flow.ui.nodes.find((node: any) => [node.attributes.name, node.attributes.id].includes(name))
  return attributes.value ?? attributes.text.context.secret
}

export const messageIds = ({ body }: Reply): number[] => (body.ui?.messages ?? []).map(({ id }: any) => id)

export async function beginInBrowser(client: Client, path: string) {
  const { body: flow } = await client.get(path)
  const csrf_token = csrfOf(flow)
  const kind = path.split('/')[2]
  return {
    flow,
    submit: (json: object) =>
      client.send('POST', `/self-service/${kind}?flow=${flow.id}`, { json: { ...json, csrf_token } }),
    reread: async () => (await client.get(`/self-service/${kind}/flows?id=${flow.id}`)).body,
  }
}
