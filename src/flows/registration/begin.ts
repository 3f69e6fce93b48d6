import type { Config } from '../../config/schema/schema.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { Db } from '../../kernel/db/client.ts'
import { means, type Oauth2 } from '../../oauth2/service.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Credentials } from '../../sessions/types.ts'
import { type BeginRequest, exchangeCode, newFlow, type SchemaLookup, selectSchema } from '../begin.ts'
import type { Composed } from '../engine/compose.ts'
import { storeFlow, type Unstored, unstored } from '../engine/unstored.ts'
import { registrationDisabled } from '../errors.ts'
import { type BeforeDeps, beforeFlow } from '../hooks/before.ts'
import type { Begun } from '../routes.ts'
import type { ExchangeStore } from '../store.ts'
import { type FlowUrls, requestedLoginChallenge, requestQuery } from '../urls.ts'
import { registrationAnswer } from './answer.ts'
import { registrationForm } from './form.ts'
import type { RegistrationMethod, RegistrationView } from './method.ts'
import type { RegistrationStore } from './store.ts'
import type { RegistrationFlow } from './types.ts'

export interface BeginRegistrationDeps extends BeforeDeps {
  config(): Config
  clock: Clock
  random: Random
  store: RegistrationStore
  exchanges: ExchangeStore
  urls: FlowUrls
  sessions: Pick<SessionService, 'resolve' | 'lacksSecondFactor'>
  oauth2: Oauth2
  schemas(): SchemaLookup
  methods: readonly RegistrationMethod[]
  db: Pick<Db, 'tx'>
}

export type BegunRegistration = Begun<RegistrationFlow>

/**
 * An app that is signed in gets that error first, a browser the one about its request.
 * @throws 400 for an impossible `return_to`, `identity_schema` or `login_challenge`, and where registration is disabled; 500
 *   if the OAuth2 server that sent the browser does not answer
 */
export async function beginRegistration(
  d: BeginRegistrationDeps,
  request: BeginRequest & { credentials: Credentials },
): Promise<BegunRegistration> {
  const session = (await d.sessions.resolve(request.credentials))?.session
  if (session && request.type === 'api') return { kind: 'signedIn', returnTo: d.urls.home() }
  assertEnabled(d.config())
  const oauth2Request = await d.oauth2.asked({ type: request.type, request_url: request.requestUrl })
  const returnTo = d.urls.returnTo(request.requestUrl)
  const schemaId = requestQuery(request.requestUrl).get('identity_schema') ?? ''
  selectSchema(d.schemas(), schemaId)
  // A signed-in caller is registered already: a login decides whether the OAuth2 server may have that session.
  if (session && oauth2Request) {
    if (!oauth2Request.skip || !means(oauth2Request, session.identity_id) || d.sessions.lacksSecondFactor(session)) {
      return { kind: 'elsewhere', to: d.urls.login(Object.fromEntries(requestQuery(request.requestUrl))), found: true }
    }
    const challenge = requestedLoginChallenge(request.requestUrl)!
    return { kind: 'elsewhere', to: await d.oauth2.accept(challenge, { identityId: session.identity_id, session }) }
  }
  if (session) return { kind: 'signedIn', returnTo }
  const begun = await newRegistrationFlow(d, request, schemaId)
  await beforeFlow(d, 'registration', request, () => registrationAnswer(begun.flow))
  const code = await exchangeCode(d, begun.flow)
  await storeFlow(d, begun)
  return { kind: 'begun', flow: begun.flow, exchangeCode: code }
}

/** @throws 400 `self_service_flow_disabled` */
export function assertEnabled(config: Config, options: { forward?: boolean } = {}): void {
  if (!config.selfservice.flows.registration.enabled) throw registrationDisabled(options)
}

/** Two screens: the traits, then the methods. */
export function isTwoStep(config: Config): boolean {
  const { style, enable_legacy_one_step } = config.selfservice.flows.registration
  return style === 'profile_first' && !enable_legacy_one_step
}

/** A flow that is not stored yet, and the writes of its methods. @throws 400 for a schema that may not be used */
export async function newRegistrationFlow(
  d: BeginRegistrationDeps,
  request: BeginRequest,
  schemaId: string,
): Promise<Unstored<RegistrationFlow>> {
  const schema = selectSchema(d.schemas(), schemaId)
  const lifespanMs = d.config().selfservice.flows.registration.lifespan
  const flow = newFlow(d, { ...request, lifespanMs, schema: schemaId })
  const screen = isTwoStep(d.config()) ? 'profile' : 'unified'
  return unstored(flow, await screenOf(d, { flow, screen, schema, values: new Map() }, flow.csrf_token))
}

/** One screen of a flow, with the known values. */
export async function screenOf(d: BeginRegistrationDeps, view: RegistrationView, csrfToken: string): Promise<Composed> {
  const parts = await Promise.all(d.methods.map((method) => method.form(view)))
  const look = {
    action: d.urls.action('registration', view.flow.id),
    csrfToken,
    screen: view.screen,
    inputs: view.schema.inputs,
    values: view.values,
    traitGroup: d.config().feature_flags.password_profile_registration_node_group,
  }
  return registrationForm(look, parts)
}
