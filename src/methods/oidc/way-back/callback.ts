import { failed, problemsOf, type ShownAgain } from '../../../flows/attempt.ts'
import { expiryOf } from '../../../flows/begin.ts'
import type { CallbackOutcome, ProviderCallback } from '../../../flows/callback/types.ts'
import type { NextForm } from '../../../flows/engine/step.ts'
import { flowExpiredMeanwhile, initiatedByOther } from '../../../flows/errors.ts'
import type { LoginFlows } from '../../../flows/login/flow.ts'
import type { LoginFlow } from '../../../flows/login/types.ts'
import { csrfNode, submitNode } from '../../../flows/nodes.ts'
import type { RegistrationFlows } from '../../../flows/registration/flow.ts'
import type { RegistrationFlow } from '../../../flows/registration/types.ts'
import type { SettingsFlows } from '../../../flows/settings/flow.ts'
import type { SettingsOutcome } from '../../../flows/settings/submit.ts'
import type { SettingsFlow } from '../../../flows/settings/types.ts'
import type { Flow } from '../../../flows/types.ts'
import type { FlowUrls } from '../../../flows/urls.ts'
import type { IdentityService } from '../../../identities/service.ts'
import type { Json } from '../../../identities/types.ts'
import { type Clock, formatTime } from '../../../kernel/base/clock.ts'
import { NotLocked, type Queryable } from '../../../kernel/db/client.ts'
import { noActiveSession } from '../../../kernel/http/errors.ts'
import type { SessionService } from '../../../sessions/service.ts'
import { type ClaimedRegistrations, NotEnough } from '../claimed-registration.ts'
import { holdLink, identifierOf, OIDC } from '../credential.ts'
import type { Linking } from '../linking.ts'
import { goOn } from '../messages.ts'
import type { KnownByProvider } from '../sign-in.ts'
import { CONTAINER, proofOf } from '../sign-in.ts'
import type { ToldOnce } from './told-once.ts'
import { arrive, type Back, cameBack, readState, stateOf, useUp, type Way, type WayBackDeps } from './way-back.ts'

export interface CallbackDeps extends WayBackDeps {
  clock: Clock
  claimedRegistrations: ClaimedRegistrations
  linking: Linking
  toldOnce: ToldOnce
  login: LoginFlows
  registration: RegistrationFlows
  settings: SettingsFlows
  sessions: Pick<SessionService, 'resolve'>
  identities: Pick<IdentityService, 'findByIdentifier' | 'holdConfig'>
  urls: FlowUrls
}

/** Where a provider sends browsers back to. @see OpenID Connect Core 1.0 §3.1.2.5 */
export function createProviderCallback(d: CallbackDeps): ProviderCallback {
  return {
    container: CONTAINER,
    enabled: () => d.providers.enabled(),

    check: (request) => void readState(d, request),

    handOver: (app, sessionId) => d.exchanges.bind(app.id, sessionId, formatTime(d.clock.now())),

    async complete(request) {
      const { state, text } = await stateOf(d, request)
      const current = await d.sessions.resolve(request.caller.credentials)
      const way = { ...request, state, text, current }
      switch (state.kind) {
        case 'login':
          return login(d, way)
        case 'registration':
          return registration(d, way)
        case 'settings':
          return settings(d, way)
      }
    },
  }
}

async function login(d: CallbackDeps, way: Way): Promise<CallbackOutcome> {
  const flow = await d.login.find(way.state.flowId)
  assertInTime(d, flow)
  const back = await cameBack(d, way, flow, !flow.refresh)
  if (!back) return { kind: 'home', to: d.urls.returnTo(flow.request_url) }
  const app = back.app ? { app: flow } : {}
  return {
    ...app,
    ...(await inForm('login', flow, d.login.show, async () => enter(d, way, flow, back, await arrive(d, way)))),
  }
}

async function registration(d: CallbackDeps, way: Way): Promise<CallbackOutcome> {
  const flow = await d.registration.find(way.state.flowId)
  assertInTime(d, flow)
  const back = await cameBack(d, way, flow, true)
  if (!back) return { kind: 'home', to: d.urls.returnTo(flow.request_url) }
  const app = back.app ? { app: flow } : {}
  const work = async () => {
    const known = await arrive(d, way)
    if (await ownerOf(d, known)) {
      const other = await d.login.continueFrom(flow)
      if (back.app) await d.exchanges.move(flow.id, other.id)
      return { ...(await enter(d, way, other, back, known)), ...(back.app ? { app: other } : {}) }
    }
    return register(d, way, flow, back, known)
  }
  return { ...app, ...(await inForm('registration', flow, showOf(d, way), work, refusedOf(d, flow))) }
}

async function settings(d: CallbackDeps, way: Way): Promise<CallbackOutcome> {
  const flow = await d.settings.find(way.state.flowId)
  const { current: resolved } = way
  if (!resolved) throw noActiveSession()
  if (flow.identity_id !== resolved.session.identity_id) throw initiatedByOther()
  assertInTime(d, flow)
  const back = await cameBack(d, way, flow, false)
  if (!back) throw noActiveSession()
  if (d.settings.needsRefresh(resolved.session))
    return { kind: 'settings', outcome: signInAgain(d, way, back, flow), resolved }
  const work = async (): Promise<SettingsOutcome> => {
    const known = await arrive(d, way)
    if (await ownerOf(d, known)) throw takenElsewhere()
    const change = d.linking.link(resolved.session, known, (tx) => useUp(d, back, tx))
    return d.settings.finish({
      flow,
      caller: way.caller,
      resolved: resolved!,
      method: OIDC,
      change,
      transientPayload: back.payload,
    })
  }
  const outcome = await work().catch(async (error: unknown): Promise<SettingsOutcome> => {
    return refuse(flow, d.settings.show, error)
  })
  return { kind: 'settings', outcome, resolved }
}

/** Before the code is spent: the browser returns to this address after signing in again. */
function signInAgain(d: CallbackDeps, { query, provider }: Way, { containerId: id }: Back, flow: SettingsFlow) {
  const path = `/self-service/methods/oidc/callback${provider === undefined ? '' : `/${provider}`}`
  const to = d.urls.login({ refresh: 'true', return_to: d.urls.request(`${path}?${query}`) })
  const comeBack = id === undefined ? {} : { comeBack: { name: CONTAINER, id, beside: true } }
  return { kind: 'redirect' as const, to, flow, ...comeBack }
}

/** Signs in a known person; a new one is registered. Twice, where the account was deleted or changed in the meantime. */
async function enter(...entry: Parameters<typeof enterOnce>): Promise<CallbackOutcome> {
  try {
    return await enterOnce(...entry)
  } catch (error) {
    if (!(error instanceof NotLocked)) throw error
    return enterOnce(...entry)
  }
}

async function enterOnce(
  d: CallbackDeps,
  way: Way,
  flow: LoginFlow,
  back: Back,
  known: KnownByProvider,
): Promise<CallbackOutcome> {
  const identity = await ownerOf(d, known)
  if (!identity) {
    const fresh = await d.registration.continueFrom(flow)
    if (back.app) await d.exchanges.move(flow.id, fresh.id)
    return { ...(await register(d, way, fresh, back, known)), ...(back.app ? { app: fresh } : {}) }
  }
  const { caller, current } = way
  const proved = {
    kind: 'proved' as const,
    identity,
    ...proofOf(known),
    async write(tx: Queryable) {
      await useUp(d, back, tx)
      await holdLink(d.identities, identity, tx)
    },
  }
  return {
    kind: 'login',
    outcome: await d.login.finish({ flow, caller, current, method: OIDC, proved, transientPayload: back.payload }),
  }
}

async function register(
  d: CallbackDeps,
  way: Way,
  flow: RegistrationFlow,
  back: Back,
  arrived: KnownByProvider,
): Promise<CallbackOutcome> {
  const work = async (): Promise<CallbackOutcome> => {
    const known = await d.toldOnce.complete(arrived)
    const { schema, checked } = await d.claimedRegistrations.make(flow, known, back.traits)
    const write = async (tx: Queryable) => {
      await useUp(d, back, tx)
      await d.toldOnce.forget(known, tx)
    }
    const completion = {
      flow,
      caller: way.caller,
      method: OIDC,
      schema,
      checked: { ...checked, write },
      transientPayload: back.payload,
      checkTraits: (traits: Json) => d.claimedRegistrations.check(schema, traits),
    } as const
    try {
      return { kind: 'registration', outcome: await d.registration.finish(completion) }
    } catch (error) {
      const conflict = await d.linking.conflictOf(error, { flow, known, checked, schema })
      if (!conflict) throw error
      return { kind: 'login', outcome: conflict }
    }
  }
  return inForm('registration', flow, showOf(d, way), work, refusedOf(d, flow))
}

const refusedOf = (d: CallbackDeps, flow: RegistrationFlow) => (error: unknown) =>
  d.registration.tellRefused(flow, OIDC, error)

/** A registration continues with the chosen provider. */
const showOf =
  (d: CallbackDeps, { state }: Way): Show<RegistrationFlow> =>
  (flow, next) => {
    const nodes = [submitNode('oidc', state.provider, goOn, 'provider'), csrfNode(flow.csrf_token)]
    return d.registration.show(flow, { nodes, ...next })
  }

const ownerOf = (d: CallbackDeps, { provider, subject }: KnownByProvider) =>
  d.identities.findByIdentifier(OIDC, identifierOf(provider.id, subject))

const takenElsewhere = () => new NotEnough('taken')

function assertInTime(d: CallbackDeps, flow: Flow): void {
  const expired = expiryOf(flow, d.clock.now())
  if (expired) throw flowExpiredMeanwhile(expired)
}

type Show<F> = (flow: F, next: NextForm) => Promise<ShownAgain<F>>

/** A refusal with a message, or a 400, is shown in the form that the browser came from. */
async function inForm<F extends LoginFlow | RegistrationFlow>(
  kind: 'login' | 'registration',
  flow: F,
  show: Show<F>,
  work: () => Promise<CallbackOutcome>,
  refused?: (error: unknown) => Promise<void>,
): Promise<CallbackOutcome> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NotEnough)) await refused?.(error)
    return { kind, outcome: await refuse(flow, show, error) } as CallbackOutcome
  }
}

/** @throws the error if no form can show it */
async function refuse<F extends Flow>(flow: F, show: Show<F>, error: unknown) {
  if (error instanceof NotEnough) return show(flow, { kind: 'form', active: OIDC, ...error.form })
  const problems = problemsOf(error)
  return problems ? show(flow, { kind: 'form', active: OIDC, problems }) : failed(flow, error)
}
