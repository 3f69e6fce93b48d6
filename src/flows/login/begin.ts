import type { Config } from '../../config/schema/schema.ts'
import { reaches } from '../../credentials/aal.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { FullIdentity } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { Db } from '../../kernel/db/client.ts'
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
import { storeFlow, type Unstored, unstored } from '../engine/unstored.ts'
import { secondFactorNeedsSession } from '../errors.ts'
import { type BeforeDeps, beforeFlow } from '../hooks/before.ts'
import type { ExchangeStore } from '../store.ts'
import { type FlowUrls, isYes, requestQuery } from '../urls.ts'
import { loginAnswer } from './answer.ts'
import { loginForm } from './form.ts'
import type { LoginMethod, LoginPurpose, LoginView } from './method.ts'
import type { LoginStore } from './store.ts'
import type { LoginFlow } from './types.ts'

export interface BeginLoginDeps extends BeforeDeps {
  config(): Config
  clock: Clock
  random: Random
  store: LoginStore
  exchanges: ExchangeStore
  urls: FlowUrls
  sessions: Pick<SessionService, 'resolve'>
  schemas(): SchemaLookup
  identities: Pick<IdentityService, 'get'>
  methods: readonly LoginMethod[]
  db: Pick<Db, 'tx'>
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
  const begun = await newLoginFlow(d, request, wish, session)
  await beforeFlow(d, 'login', request, () => loginAnswer(begun.flow))
  // The code first: one without a flow is of no use to anybody, a flow without its code would be.
  const code = session ? undefined : await exchangeCode(d, begun.flow)
  await storeFlow(d, begun)
  return { kind: 'begun', flow: begun.flow, exchangeCode: code }
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

/** A flow that is not stored yet, and what its methods write with it. */
export async function newLoginFlow(
  d: BeginLoginDeps,
  request: BeginRequest,
  wish: LoginWish,
  session: Session | undefined,
): Promise<Unstored<LoginFlow>> {
  const lifespanMs = d.config().selfservice.flows.login.lifespan
  const base = newFlow(d, { ...request, lifespanMs, schema: wish.schema })
  const flow = {
    ...base,
    created_at: base.issued_at,
    updated_at: base.issued_at,
    refresh: wish.refresh && session !== undefined,
    requested_aal: wish.aal,
  }
  const purpose = purposeOf(flow, session, d.config().selfservice.flows.login.style)
  const schema = selectSchema(d.schemas(), wish.schema)
  const parts = await askMethods(d, { flow, purpose, schema })
  return unstored(
    flow,
    loginForm({ action: d.urls.action('login', flow.id), csrfToken: flow.csrf_token, purpose }, parts),
  )
}

function purposeOf(
  flow: Pick<LoginFlow, 'refresh' | 'requested_aal'>,
  session: Session | undefined,
  style: Config['selfservice']['flows']['login']['style'],
): LoginPurpose {
  if (session && flow.requested_aal === 'aal2') return { kind: 'secondFactor', session, refresh: flow.refresh }
  if (session && flow.refresh) return { kind: 'refresh', session }
  return { kind: style === 'identifier_first' ? 'identifier' : 'firstFactor' }
}

async function askMethods(d: BeginLoginDeps, view: Omit<LoginView, 'account'>) {
  const { purpose } = view
  let account: Promise<FullIdentity> | undefined
  const read = async () => {
    if (purpose.kind === 'firstFactor' || purpose.kind === 'identifier') return undefined
    account ??= d.identities.get(purpose.session.identity_id)
    return account
  }
  return Promise.all(d.methods.map((method) => method.form({ ...view, account: read })))
}
