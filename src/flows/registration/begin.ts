import type { Config } from '../../config/schema/schema.ts'
import type { IdentitySchema, Json } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Credentials } from '../../sessions/types.ts'
import {
  type BeginRequest,
  exchangeCode,
  newFlow,
  refuseLoginChallenge,
  type SchemaLookup,
  selectSchema,
} from '../begin.ts'
import { registrationDisabled } from '../errors.ts'
import type { ExchangeStore } from '../store.ts'
import { type FlowUrls, requestQuery } from '../urls.ts'
import { registrationForm, type Screen } from './form.ts'
import type { RegistrationStore } from './store.ts'
import type { RegistrationFlow } from './types.ts'

export interface BeginRegistrationDeps {
  config(): Config
  clock: Clock
  random: Random
  store: RegistrationStore
  exchanges: ExchangeStore
  urls: FlowUrls
  sessions: Pick<SessionService, 'resolve'>
  schemas(): SchemaLookup
}

export type BegunRegistration =
  | { kind: 'begun'; flow: RegistrationFlow; exchangeCode: string | undefined }
  /** who is signed in has registered already */
  | { kind: 'signedIn'; returnTo: string }

/**
 * An app that is signed in hears of that first, a browser of what is wrong with its request.
 * @throws 400 for a `return_to` or `identity_schema` that cannot be, a `login_challenge`, and where nobody may sign up
 */
export async function beginRegistration(
  d: BeginRegistrationDeps,
  request: BeginRequest & { credentials: Credentials },
): Promise<BegunRegistration> {
  const signedIn = (await d.sessions.resolve(request.credentials)) !== undefined
  if (signedIn && request.type === 'api') return { kind: 'signedIn', returnTo: d.urls.home() }
  assertEnabled(d.config())
  const returnTo = d.urls.returnTo(request.requestUrl)
  refuseLoginChallenge(request.requestUrl)
  const flow = newRegistrationFlow(d, request, requestQuery(request.requestUrl).get('identity_schema') ?? '')
  if (signedIn) return { kind: 'signedIn', returnTo }
  const code = await exchangeCode(d, flow)
  await d.store.insert(flow)
  return { kind: 'begun', flow, exchangeCode: code }
}

/** @throws 400 `self_service_flow_disabled` */
export function assertEnabled(config: Config): void {
  if (!config.selfservice.flows.registration.enabled) throw registrationDisabled()
}

/** Two steps: the traits, then the password. */
export function isTwoStep(config: Config): boolean {
  const { style, enable_legacy_one_step } = config.selfservice.flows.registration
  return style === 'profile_first' && !enable_legacy_one_step
}

/** A flow that is not stored yet. @throws 400 for a schema that may not be used */
export function newRegistrationFlow(
  d: BeginRegistrationDeps,
  request: BeginRequest,
  schemaId: string,
): RegistrationFlow {
  const schema = selectSchema(d.schemas(), schemaId)
  const lifespanMs = d.config().selfservice.flows.registration.lifespan
  const base = newFlow(d, { ...request, lifespanMs, schema: schemaId })
  const screen = isTwoStep(d.config()) ? 'profile' : 'unified'
  return { ...base, ui: screenOf(d, base, schema, screen) }
}

/** One screen of a flow, with the values that are known. */
export function screenOf(
  d: Pick<BeginRegistrationDeps, 'config' | 'urls'>,
  flow: Pick<RegistrationFlow, 'id' | 'csrf_token'>,
  schema: Pick<IdentitySchema, 'inputs'>,
  screen: Screen,
  values: ReadonlyMap<string, Json> = new Map(),
) {
  const config = d.config()
  return registrationForm({
    action: d.urls.action('registration', flow.id),
    csrfToken: flow.csrf_token,
    screen,
    inputs: schema.inputs,
    values,
    password: config.selfservice.methods.password.enabled,
    traitGroup: config.feature_flags.password_profile_registration_node_group,
  })
}
