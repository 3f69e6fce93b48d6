import type { Config } from '../../config/schema/schema.ts'
import { aalOf } from '../../credentials/aal.ts'
import type { IdentityLocks } from '../../identities/store-locks.ts'
import type { Identity, IdentitySchema } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { NotLocked, type Queryable } from '../../kernel/db/client.ts'
import { aal2Required, HttpError } from '../../kernel/http/errors.ts'
import type { Session } from '../../sessions/types.ts'
import { type BeginRequest, newFlow, type SchemaLookup } from '../begin.ts'
import { sessionMissing } from '../errors.ts'
import { messages } from '../messages.ts'
import type { FlowUrls } from '../urls.ts'
import { settingsForm } from './form.ts'
import type { SettingsStore } from './store.ts'
import type { SettingsFlow } from './types.ts'

export interface BeginSettingsDeps {
  config(): Config
  clock: Clock
  random: Random
  store: SettingsStore
  locks: IdentityLocks
  urls: FlowUrls
  schemas(): SchemaLookup
  /** where a browser proves its second factor */
  secondFactorUrl(returnTo: string): string
}

/** @throws 400 for a `return_to` that is not allowed, 403 `session_aal2_required` */
export async function beginSettings(
  d: BeginSettingsDeps,
  request: BeginRequest,
  session: Session,
): Promise<SettingsFlow> {
  d.urls.returnTo(request.requestUrl)
  assertProven(d, session, request.requestUrl)
  const flow = newSettingsFlow(d, request, session.identity)
  await insertFlow(d, flow)
  return flow
}

/** Says until when the new session may set a credential. */
export async function beginRecovered(
  d: BeginSettingsDeps,
  request: BeginRequest,
  identity: Identity,
  tx: Queryable,
): Promise<SettingsFlow> {
  const flow = newSettingsFlow(d, request, identity)
  const now = d.clock.now()
  const until = now + Math.trunc(d.config().selfservice.flows.settings.privileged_session_max_age * 1000)
  flow.ui = { ...flow.ui, messages: [messages.recovered(now, until)] }
  await d.store.insert(flow, tx)
  return flow
}

/** @throws 401 when the identity is deleted meanwhile */
export async function insertFlow(d: BeginSettingsDeps, flow: SettingsFlow): Promise<void> {
  await d.locks
    .query({ identity: flow.identity_id }, (on) => d.store.insert(flow, on))
    .catch((error: unknown) => {
      throw error instanceof NotLocked ? sessionMissing() : error
    })
}

/** Whoever has a second factor must have shown it before anything is changed. @throws 403 */
export function assertProven(d: BeginSettingsDeps, session: Session, returnTo: string): void {
  if (d.config().selfservice.flows.settings.required_aal !== 'highest_available') return
  if (session.second_factor && aalOf(session.authentication_methods) !== 'aal2') {
    throw aal2Required(d.secondFactorUrl(returnTo))
  }
}

/** A flow that is not stored yet. */
export function newSettingsFlow(d: BeginSettingsDeps, request: BeginRequest, identity: Identity): SettingsFlow {
  const lifespanMs = d.config().selfservice.flows.settings.lifespan
  const base = newFlow(d, { ...request, lifespanMs, schema: '' })
  const ui = formOf(d, base.id, request.csrfToken, identity)
  return { ...base, csrf_token: '', ui, identity_id: identity.id, state: 'show_form' }
}

export function formOf(d: BeginSettingsDeps, flowId: string, csrfToken: string, identity: Identity) {
  const { profile, password } = d.config().selfservice.methods
  return settingsForm({
    action: d.urls.action('settings', flowId),
    csrfToken,
    schema: schemaOf(d, identity),
    traits: identity.traits,
    methods: { profile: profile.enabled, password: password.enabled },
  })
}

/** @throws 500 for an identity whose schema is not configured any more */
export function schemaOf(d: Pick<BeginSettingsDeps, 'schemas'>, identity: Identity): IdentitySchema {
  const schema = d.schemas().get(identity.schema_id)
  if (schema) return schema
  const reason = `The identity schema ${JSON.stringify(identity.schema_id)} is not configured.`
  throw new HttpError(500, 'Invalid configuration', { id: 'invalid_configuration', reason })
}
