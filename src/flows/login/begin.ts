import type { Config } from '../../config/schema/schema.ts'
import { reaches } from '../../credentials/aal.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { Identity } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Aal, Credentials, Session } from '../../sessions/types.ts'
import {
  type BeginRequest,
  exchangeCode,
  newFlow,
  refuseLoginChallenge,
  type SchemaLookup,
  selectSchema,
} from '../begin.ts'
import { secondFactorNeedsSession } from '../errors.ts'
import type { ExchangeStore } from '../store.ts'
import { type FlowUrls, isYes, requestQuery } from '../urls.ts'
import { loginForm } from './form.ts'
import type { LoginStore } from './store.ts'
import type { LoginFlow } from './types.ts'

export interface BeginLoginDeps {
  config(): Config
  clock: Clock
  random: Random
  store: LoginStore
  exchanges: ExchangeStore
  urls: FlowUrls
  sessions: Pick<SessionService, 'resolve'>
  schemas(): SchemaLookup
  identities: Pick<IdentityService, 'findByPasswordIdentifier'>
}

export type BegunLogin =
  | { kind: 'begun'; flow: LoginFlow; exchangeCode: string | undefined }
  /** somebody is signed in and asked for nothing more */
  | { kind: 'signedIn'; returnTo: string }

/** What decides how a login flow looks, besides who asks. */
export interface LoginWish {
  refresh: boolean
  aal: Aal
  /** empty: the default one */
  schema: string
}

/**
 * Begins a login flow.
 * @throws 400 for a `return_to`, `aal` or `identity_schema` that cannot be, and for a `login_challenge`;
 *   401 `session_aal1_required`
 */
export async function beginLogin(
  d: BeginLoginDeps,
  request: BeginRequest & { credentials: Credentials },
): Promise<BegunLogin> {
  const returnTo = d.urls.returnTo(request.requestUrl)
  refuseLoginChallenge(request.requestUrl)
  const wish = readWish(d, request.requestUrl)
  const session = (await d.sessions.resolve(request.credentials))?.session
  if (!session && wish.aal === 'aal2') throw secondFactorNeedsSession()
  if (session && !wish.refresh && reaches(session.aal, wish.aal)) return { kind: 'signedIn', returnTo }
  const flow = await newLoginFlow(d, request, wish, session)
  // The code first: one without a flow is of no use to anybody, a flow without its code would be.
  const code = session ? undefined : await exchangeCode(d, flow)
  await d.store.insert(flow)
  return { kind: 'begun', flow, exchangeCode: code }
}

function readWish(d: BeginLoginDeps, requestUrl: string): LoginWish {
  const query = requestQuery(requestUrl)
  const aal = query.get('aal')?.toLowerCase() || 'aal1'
  if (aal !== 'aal1' && aal !== 'aal2') {
    throw badRequest(
      `Unable to parse AuthenticationMethod Assurance Level (AAL): expected one of [aal1, aal2] but got ${aal}`,
    )
  }
  // A second factor is asked of somebody who is known: no schema is chosen, not even a wrong one.
  const schema = aal === 'aal1' ? (query.get('identity_schema') ?? '') : ''
  selectSchema(d.schemas(), schema)
  return { refresh: isYes(query.get('refresh')), aal, schema }
}

/** A flow that is not stored yet. */
export async function newLoginFlow(
  d: BeginLoginDeps,
  request: BeginRequest,
  wish: LoginWish,
  session: Session | undefined,
): Promise<LoginFlow> {
  const lifespanMs = d.config().selfservice.flows.login.lifespan
  const base = newFlow(d, { ...request, lifespanMs, schema: wish.schema })
  const ui = loginForm({
    action: d.urls.action('login', base.id),
    csrfToken: base.csrf_token,
    schema: selectSchema(d.schemas(), wish.schema),
    purpose: await purposeOf(d, wish, session),
  })
  return {
    ...base,
    ui,
    active_method: '',
    created_at: base.issued_at,
    updated_at: base.issued_at,
    refresh: wish.refresh && session !== undefined,
    requested_aal: wish.aal,
  }
}

async function purposeOf(d: BeginLoginDeps, wish: LoginWish, session: Session | undefined) {
  if (wish.aal === 'aal2') return { kind: 'secondFactor' } as const
  const enabled = d.config().selfservice.methods.password.enabled
  if (session && wish.refresh) {
    return { kind: 'confirm', identifier: enabled ? await passwordIdentifier(d, session.identity) : undefined } as const
  }
  return { kind: enabled ? 'signIn' : 'none' } as const
}

/** What somebody with a password signs in with; undefined for somebody without. */
async function passwordIdentifier(d: BeginLoginDeps, identity: Identity): Promise<string | undefined> {
  const derived = d.schemas().get(identity.schema_id)?.derive(identity.traits)
  const identifier = derived?.kind === 'derived' ? derived.identifiers.get('password')?.[0] : undefined
  if (identifier === undefined) return undefined
  const credential = await d.identities.findByPasswordIdentifier(identifier)
  return credential?.identity.id === identity.id && credential.hash !== undefined ? identifier : undefined
}
