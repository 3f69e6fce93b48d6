import type { Config } from '../../config/schema/schema.ts'
import { aalOf } from '../../credentials/aal.ts'
import { counts } from '../../credentials/available-aal.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { IdentityLocks } from '../../identities/store-locks.ts'
import type { FullIdentity, Identity, IdentitySchema, JsonObject } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { NotLocked, type Queryable } from '../../kernel/db/client.ts'
import { aal2Required, HttpError } from '../../kernel/http/errors.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Session } from '../../sessions/types.ts'
import { type BeginRequest, newFlow, type SchemaLookup } from '../begin.ts'
import type { Composed } from '../engine/compose.ts'
import { type Unstored, unstored } from '../engine/unstored.ts'
import { sessionMissing } from '../errors.ts'
import { type BeforeDeps, beforeFlow } from '../hooks/before.ts'
import { messages } from '../messages.ts'
import { type FlowUrls, requestedReturnTo } from '../urls.ts'
import { settingsAnswer } from './answer.ts'
import { settingsForm } from './form.ts'
import type { SettingsMethod, SettingsView } from './method.ts'
import type { SettingsStore } from './store.ts'
import type { SettingsFlow } from './types.ts'

export interface BeginSettingsDeps extends BeforeDeps {
  config(): Config
  clock: Clock
  random: Random
  store: SettingsStore
  locks: IdentityLocks
  urls: FlowUrls
  schemas(): SchemaLookup
  identities: Pick<IdentityService, 'get'>
  methods: readonly SettingsMethod[]
  sessions: Pick<SessionService, 'answer'>
  /** an identity as clients see it */
  identityAnswer(identity: Identity): JsonObject
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
  // A request without a `return_to` gets none in the error either.
  assertProven(d, session, requestedReturnTo(request.requestUrl) === '' ? '' : request.requestUrl)
  const begun = await newSettingsFlow(d, request, session.identity)
  const answer = () => settingsAnswer(begun.flow, d.identityAnswer(session.identity))
  await beforeFlow(d, 'settings', request, answer, () => d.sessions.answer(session))
  await insertFlow(d, begun)
  return begun.flow
}

/** Tells until when the new session may set a credential. */
export async function beginRecovered(
  d: BeginSettingsDeps,
  request: BeginRequest,
  identity: Identity,
  tx: Queryable,
): Promise<SettingsFlow> {
  const { flow, writes } = await newSettingsFlow(d, request, identity, tx)
  const now = d.clock.now()
  const until = now + Math.trunc(d.config().selfservice.flows.settings.privileged_session_max_age * 1000)
  flow.ui = { ...flow.ui, messages: [messages.recovered(now, until)] }
  await d.store.insert(flow, tx)
  for (const write of writes) await write(tx)
  return flow
}

/** @throws 401 when the identity is deleted meanwhile */
export async function insertFlow(d: BeginSettingsDeps, { flow, writes }: Unstored<SettingsFlow>): Promise<void> {
  const lock = writes.length === 0 ? d.locks.query : d.locks.tx
  await lock({ identity: flow.identity_id }, async (on) => {
    await d.store.insert(flow, on)
    for (const write of writes) await write(on)
  }).catch((error: unknown) => {
    throw error instanceof NotLocked ? sessionMissing() : error
  })
}

/** An owner with a second factor must have proved it before anything is changed. @throws 403 */
export function assertProven(d: BeginSettingsDeps, session: Session, returnTo: string): void {
  if (d.config().selfservice.flows.settings.required_aal !== 'highest_available') return
  const counted = counts(session.second_factor, d.config().selfservice.methods.code)
  if (counted && aalOf(session.authentication_methods) !== 'aal2') {
    throw aal2Required(d.secondFactorUrl(returnTo))
  }
}

/** A flow that is not stored yet. @param tx of the caller, if it has one: methods must not wait for a second connection */
export async function newSettingsFlow(
  d: BeginSettingsDeps,
  request: BeginRequest,
  identity: Identity,
  tx?: Queryable,
): Promise<Unstored<SettingsFlow>> {
  const lifespanMs = d.config().selfservice.flows.settings.lifespan
  const base = newFlow(d, { ...request, lifespanMs, schema: '' })
  const flow = { ...base, csrf_token: '', identity_id: identity.id, state: 'show_form' as const }
  return unstored(
    flow,
    await formOf(
      d,
      viewOf(flow, identity, schemaOf(d, identity), () => d.identities.get(identity.id, tx)),
      request.csrfToken,
    ),
  )
}

/** @param read the identity with its credentials */
export function viewOf<F extends SettingsView['flow']>(
  flow: F,
  identity: Identity,
  schema: IdentitySchema,
  read: () => Promise<FullIdentity>,
): SettingsView & { flow: F } {
  let account: Promise<FullIdentity> | undefined
  return {
    flow,
    identity,
    schema,
    account: () => {
      account ??= read()
      return account
    },
  }
}

export async function formOf(d: BeginSettingsDeps, view: SettingsView, csrfToken: string): Promise<Composed> {
  const parts = await Promise.all(d.methods.map((method) => method.form(view)))
  const action = d.urls.action('settings', view.flow.id)
  return settingsForm({ action, csrfToken, inputs: view.schema.inputs }, parts)
}

/** @throws 500 for an identity whose schema is not configured any more */
export function schemaOf(d: Pick<BeginSettingsDeps, 'schemas'>, identity: Identity): IdentitySchema {
  const schema = d.schemas().get(identity.schema_id)
  if (schema) return schema
  const reason = `The identity schema ${JSON.stringify(identity.schema_id)} is not configured.`
  throw new HttpError(500, 'Invalid configuration', { id: 'invalid_configuration', reason })
}
