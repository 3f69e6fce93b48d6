import type { Config } from '../../config/schema/schema.ts'
import { reaches } from '../../credentials/aal.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { FullIdentity } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { goBoolean } from '../../kernel/base/go-boolean.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { Db } from '../../kernel/db/client.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import { means, type Oauth2 } from '../../oauth2/service.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Aal, Credentials, Session } from '../../sessions/types.ts'
import { type BeginRequest, exchangeCode, newFlow, type SchemaLookup, selectSchema } from '../begin.ts'
import { storeFlow, type Unstored, unstored } from '../engine/unstored.ts'
import { secondFactorNeedsSession } from '../errors.ts'
import { type BeforeDeps, beforeFlow } from '../hooks/before.ts'
import type { Begun } from '../routes.ts'
import type { ExchangeStore } from '../store.ts'
import { type FlowUrls, requestedLoginChallenge, requestedOrganization, requestQuery } from '../urls.ts'
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
  sessions: Pick<SessionService, 'resolve' | 'lacksSecondFactor'>
  oauth2: Oauth2
  /** where a browser proves its second factor */
  secondFactorUrl(returnTo: string, loginChallenge?: string): string
  schemas(): SchemaLookup
  identities: Pick<IdentityService, 'get'>
  methods: readonly LoginMethod[]
  db: Pick<Db, 'tx'>
}

export type BegunLogin = Begun<LoginFlow>

/** The parameters of a login flow. */
export interface LoginParameters {
  refresh: boolean
  aal: Aal
  /** empty: the default one */
  schema: string
}

/**
 * Begins a login flow.
 * @throws 400 for a `return_to`, `aal`, `identity_schema` or `login_challenge` that cannot be; 401
 *   `session_aal1_required`; 500 where the OAuth2 server does not answer that sent the browser here
 */
export async function beginLogin(
  d: BeginLoginDeps,
  asked: BeginRequest & { credentials: Credentials },
): Promise<BegunLogin> {
  const oauth2Request = await d.oauth2.asked({ type: asked.type, request_url: asked.requestUrl })
  const request = oauth2Request ? { ...asked, requestUrl: d.oauth2.loginUrl(asked.requestUrl, oauth2Request) } : asked
  const returnTo = d.urls.returnTo(request.requestUrl)
  const parameters = readParameters(d, request.requestUrl)
  const session = (await d.sessions.resolve(request.credentials))?.session
  if (!session && parameters.aal === 'aal2') throw secondFactorNeedsSession()
  const stranger = session && oauth2Request?.skip && !means(oauth2Request, session.identity_id)
  if (session && oauth2Request?.skip && !stranger && reaches(session.aal, parameters.aal)) {
    return { kind: 'elsewhere', to: await goOn(d, request.requestUrl, session) }
  }
  if (session && !stranger && !parameters.refresh && reaches(session.aal, parameters.aal))
    return { kind: 'signedIn', returnTo }
  const begun = stranger
    ? await forAnother(d, request, parameters)
    : await newLoginFlow(d, request, parameters, session)
  await beforeFlow(d, 'login', request, () => loginAnswer(begun.flow))
  // The code first: without its flow it does no harm, a flow without its code would.
  const code = session ? undefined : await exchangeCode(d, begun.flow)
  await storeFlow(d, begun)
  return { kind: 'begun', flow: begun.flow, exchangeCode: code, oauth2Request }
}

/** The OAuth2 server accepts the present session, once it suffices. */
function goOn(d: BeginLoginDeps, requestUrl: string, session: Session): Promise<string> | string {
  const challenge = requestedLoginChallenge(requestUrl)!
  if (d.sessions.lacksSecondFactor(session)) return d.secondFactorUrl('', challenge)
  return d.oauth2.accept(challenge, { identityId: session.identity_id, session })
}

/** The caller is signed in, but as another identity than the OAuth2 server knows: that one signs in beside. */
async function forAnother(
  d: BeginLoginDeps,
  request: BeginRequest,
  parameters: LoginParameters,
): Promise<Unstored<LoginFlow>> {
  const { flow, writes } = await newLoginFlow(d, request, parameters, undefined)
  return { flow: { ...flow, refresh: true }, writes }
}

function readParameters(d: BeginLoginDeps, requestUrl: string): LoginParameters {
  const query = requestQuery(requestUrl)
  const aal = query.get('aal')?.toLowerCase() || 'aal1'
  if (aal !== 'aal1' && aal !== 'aal2') {
    throw badRequest(
      `Unable to parse AuthenticationMethod Assurance Level (AAL): expected one of [aal1, aal2] but got ${aal}`,
    )
  }
  // A second factor is asked of a known identity: no schema is chosen, not even a wrong one.
  const schema = aal === 'aal1' ? (query.get('identity_schema') ?? '') : ''
  selectSchema(d.schemas(), schema)
  return { refresh: goBoolean(query.get('refresh')) === true, aal, schema }
}

/** A flow that is not stored yet, and the writes of its methods. */
export async function newLoginFlow(
  d: BeginLoginDeps,
  request: BeginRequest,
  parameters: LoginParameters,
  session: Session | undefined,
): Promise<Unstored<LoginFlow>> {
  const lifespanMs = d.config().selfservice.flows.login.lifespan
  const base = newFlow(d, { ...request, lifespanMs, schema: parameters.schema })
  const flow = {
    ...base,
    created_at: base.issued_at,
    updated_at: base.issued_at,
    refresh: parameters.refresh && session !== undefined,
    requested_aal: parameters.aal,
  }
  const purpose = purposeOf(flow, session, d.config().selfservice.flows.login.style)
  const schema = selectSchema(d.schemas(), parameters.schema)
  const { facts } = request
  // Organisations sign in with providers of their own, which are no part of the free edition of Kratos.
  const organised = parameters.aal === 'aal1' && requestedOrganization(request.requestUrl) !== undefined
  const parts = organised ? [] : await askMethods(d, { flow, purpose, schema, ...(facts && { facts }) })
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
