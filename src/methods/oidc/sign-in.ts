import { createHash } from 'node:crypto'
import type { Config } from '../../config/schema/schema.ts'
import type { Redirect } from '../../flows/engine/step.ts'
import { fieldText } from '../../flows/form.ts'
import type { Flow, SubmittedForm } from '../../flows/types.ts'
import type { Json, JsonObject } from '../../identities/types.ts'
import { SECOND } from '../../kernel/base/clock.ts'
import { withoutTrailingSlashes } from '../../kernel/base/url.ts'
import type { Seal } from '../../kernel/crypto/seal.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { badRequest, HttpError, notFound } from '../../kernel/http/errors.ts'
import { withQuery } from '../../kernel/http/query.ts'
import type { Proof } from '../../sessions/service.ts'
import type { UpstreamSignIn } from '../../sessions/store-upstream.ts'
import { assertTenant, type Claims, textAt } from './claims.ts'
import { identifierOf, OIDC } from './credential.ts'
import { notInitialized, untrustworthy, upstreamError } from './errors.ts'
import { issuerOf } from './generic.ts'
import type { Provider, Tokens } from './kind.ts'
import { kindOf } from './kinds.ts'
import type { TokenEndpoint } from './token.ts'
import type { Upstream } from './upstream.ts'
import { upstreamSignIn } from './upstream-session.ts'
import { bindingOf, type State, type StateKind, type States } from './way-back/state.ts'

/** The name of the continuity container. */
export const CONTAINER = 'ory_kratos_oidc_auth_code_session'
const LIFESPAN = 30 * 60 * SECOND
const MAX_IDENTIFIER = 255

export interface SignInDeps {
  config(): Config
  publicBaseUrl(): string
  random: Random
  continuity: { begin(name: string, payload: JsonObject, lifespan: number): Promise<string | undefined> }
  states: States
  /** for id tokens that are stored with sessions */
  seal: Seal
  upstream: Upstream
  tokenEndpoint: TokenEndpoint
}

/** The parameters of a redirect to a provider. */
export interface Departure {
  kind: StateKind
  provider: Provider
  flow: Pick<Flow, 'id' | 'identity_schema'>
  /** the person must sign in again, even if signed in there */
  refresh: boolean
  form: SubmittedForm
  traits: Json
  payload: JsonObject | undefined
  /** the code with which an app gets its session */
  initCode: string | undefined
}

/** A person as a provider describes them. */
export interface KnownByProvider {
  provider: Provider
  subject: string
  claims: Claims
  tokens: Tokens | undefined
  /** for the session */
  upstream: UpstreamSignIn
}

/** What a session stores of a sign-in by a provider. */
export function proofOf({ provider, upstream }: KnownByProvider): Pick<Proof, 'authentication' | 'upstream'> {
  return { authentication: authenticationOf(provider.id, provider.organization_id), upstream }
}

export const authenticationOf = (provider: string, organization: string | undefined): Proof['authentication'] => ({
  method: OIDC,
  aal: 'aal1',
  provider,
  ...(organization ? { organization } : {}),
})

export type ProviderSignIn = ReturnType<typeof createProviderSignIn>

/** The redirect to a provider, and what it says about the person who returns. */
export function createProviderSignIn(d: SignInDeps) {
  const settings = () => d.config().selfservice.methods.oidc
  const callback = (provider: Provider) => {
    const base = settings().config.base_redirect_uri ?? d.publicBaseUrl()
    // With PKCE forced one address serves all providers.
    const last = provider.pkce === 'force' ? '' : `/${provider.id}`
    return `${withoutTrailingSlashes(base)}/self-service/methods/oidc/callback${last}`
  }

  function find(id: string): Provider {
    const provider = settings().config.providers.find((one) => one.id === id)
    if (!provider) throw notFound(`OpenID Connect Provider ${JSON.stringify(id)} is unknown or has not been configured`)
    return provider
  }

  const ruleOf = ({ id }: Provider) => d.config().lethe.providers.find((one) => one.id === id)

  async function verifierFor(provider: Provider): Promise<string | undefined> {
    const kind = kindOf(provider)
    const pkce = provider.pkce === 'auto' ? (kind.pkce ?? 'auto') : provider.pkce
    if (pkce === 'never' || kind.own) return undefined
    const issuer = kind.issuer ?? issuerOf(provider)
    const announced = pkce === 'auto' && issuer !== '' ? await d.upstream.announced(issuer) : undefined
    const used = pkce === 'force' || announced?.code_challenge_methods_supported?.includes('S256')
    return used ? d.random(32).toString('base64url') : undefined
  }

  /**
   * A code of one provider must not reach another, which a browser can be made to bring. An answer without an issuer is
   * taken, also of a provider that announces one: Kratos takes it, and pages that post the answer themselves leave it out.
   * @see RFC 9207 §2.4. @throws HttpError 400
   */
  async function assertIssuer(provider: Provider, query: URLSearchParams): Promise<void> {
    const said = query.get('iss')
    const issuer = kindOf(provider).issuer ?? issuerOf(provider)
    const required = ruleOf(provider)?.require_iss ?? false
    if (required && (said === null || issuer === '')) throw untrustworthy('the answer does not tell its issuer')
    if (said === null || issuer === '') return
    const announced = await d.upstream.announced(issuer)
    if (announced && said !== announced.issuer) {
      throw untrustworthy(`the answer is not of the issuer ${announced.issuer}`)
    }
  }

  /** Asked before all else, so that a provider that is away is waited for once. @returns why it cannot be used */
  async function unreachable(provider: Provider): Promise<unknown> {
    const kind = kindOf(provider)
    if (kind.own) return undefined
    return kind.endpoints(provider, d.upstream).then(
      () => undefined,
      (error: unknown) => error,
    )
  }

  async function authorizeUrl(
    one: Departure,
    parameters: Record<string, string>,
    state: string,
    verifier: string | undefined,
  ): Promise<string> {
    const { provider } = one
    const kind = kindOf(provider)
    if (kind.own) return kind.own.authorizeUrl(provider, { callback: callback(provider), state }, d.upstream)
    const { authorization } = await kind.endpoints(provider, d.upstream)
    const scopes = [...(provider.scope ?? [])]
    if (kind.openid && !scopes.includes('openid')) scopes.push('openid')
    const asked = kind.scopes?.(scopes) ?? scopes
    return withQuery(authorization, {
      client_id: provider.client_id,
      redirect_uri: callback(provider),
      response_type: 'code',
      ...(asked.length === 0 ? {} : { scope: asked.join(' ') }),
      state,
      // PKCE binds the code to this browser as well; Kratos sends no nonce with it.
      ...(verifier === undefined
        ? kind.openid
          ? { nonce: nonceOf(state) }
          : {}
        : { code_challenge: challengeOf(verifier), code_challenge_method: 'S256' }),
      ...kind.parameters?.(provider, one.refresh),
      ...parameters,
    })
  }

  /** @throws HttpError 502 without a subject */
  function known(
    provider: Provider,
    claims: Claims,
    tokens: Tokens | undefined,
    idToken = tokens?.idToken ?? '',
  ): KnownByProvider {
    const subject = textAt(claims, 'sub')
    if (subject === '') throw upstreamError('provider did not return a subject')
    if (textAt(claims, 'iss') === '') throw upstreamError('issuer not set in claims')
    if (identifierOf(provider.id, subject).length > MAX_IDENTIFIER) {
      throw upstreamError('the subject that the provider returned is too long')
    }
    if (/\p{Cc}/u.test(subject)) throw upstreamError('the subject that the provider returned holds control characters')
    assertTenant(claims, ruleOf(provider)?.allowed_tenants)
    const upstream = upstreamSignIn(d.seal, { provider: provider.id, subject, claims, idToken })
    return { provider, subject, claims, tokens, upstream }
  }

  return {
    enabled: () => settings().enabled,
    find,
    /** The providers in forms. Those of an organization are not shown. */
    offered: () => settings().config.providers.filter(({ organization_id: organization }) => !organization),

    /** @throws HttpError 400 for traits that are too large, and for parameters of a wrong type */
    async leave(one: Departure): Promise<Redirect> {
      const parameters = upstreamParameters(one.form)
      const away = await unreachable(one.provider)
      const verifier = away === undefined ? await verifierFor(one.provider) : undefined
      const state = d.states.write({
        flowId: one.flow.id,
        kind: one.kind,
        provider: one.provider.id,
        verifier,
        binding: one.initCode === undefined ? d.random(16) : bindingOf(one.initCode),
      })
      const schema = one.flow.identity_schema === '' ? {} : { identity_schema_id: one.flow.identity_schema }
      const payload = {
        state,
        flow_id: one.flow.id,
        traits: one.traits,
        transient_payload: one.payload ?? {},
        ...schema,
      }
      const id = await d.continuity.begin(CONTAINER, payload, LIFESPAN)
      if (id === undefined) throw badRequest('The form is too large to be taken along to another server.')
      const comeBack = { name: CONTAINER, id, beside: true }
      try {
        if (away !== undefined) throw away
        return { kind: 'redirect', to: await authorizeUrl(one, parameters, state, verifier), active: 'oidc', comeBack }
      } catch (error) {
        const failed = error instanceof HttpError ? error : notInitialized(error)
        return { kind: 'redirect', to: '', comeBack, failed }
      }
    },

    /** The person who returns with a code. @throws HttpError, FormRefused */
    async arrive(state: State, stateText: string, query: URLSearchParams): Promise<KnownByProvider> {
      const provider = find(state.provider)
      const kind = kindOf(provider)
      if (kind.own) return known(provider, await kind.own.claims(provider, query, d.upstream), undefined)
      await assertIssuer(provider, query)
      const code = query.get('code') || query.get('authCode') || ''
      const sent = { provider, code, redirectUri: callback(provider), verifier: state.verifier }
      const ask = async () => {
        const tokens = await d.tokenEndpoint.exchange(sent)
        return { tokens, claims: await kind.claims({ provider, tokens, upstream: d.upstream, query }) }
      }
      const { tokens, claims } = await ask().catch((error: unknown) => {
        d.upstream.doubt(issuerOf(provider))
        throw error
      })
      const { nonce } = claims
      if (kind.openid && state.verifier === undefined && nonce !== undefined && nonce !== nonceOf(stateText)) {
        throw untrustworthy('the nonce of the id_token is not the one that was sent')
      }
      return known(provider, claims, tokens)
    },

    /** The person of an id token from an app. @throws HttpError */
    async submitted(provider: Provider, form: SubmittedForm): Promise<KnownByProvider> {
      const { submitted } = kindOf(provider)
      if (!submitted) throw upstreamError(`The provider ${provider.provider} does not support id_token verification`)
      const idToken = fieldText(form, 'id_token')
      const claims = await submitted.verify(provider, idToken, d.upstream).catch((error: unknown) => {
        throw notVerified('The requested action was forbidden', error)
      })
      if (textAt(claims, 'sub') === '') throw notVerified('Upstream error')
      const one = known(provider, claims, undefined, idToken)
      if (!submitted.mayLackNonce(claims)) assertNonce(textAt(claims, 'nonce'), fieldText(form, 'id_token_nonce'))
      return one
    },
  }
}

const notVerified = (message: string, cause?: unknown) =>
  new HttpError(403, message, { reason: 'Could not verify id_token', cause })

/** @throws HttpError 502 */
function assertNonce(signed: string, sent: string): void {
  if (signed === '') throw upstreamError('No nonce was included in the id_token but is required by the provider')
  if (sent === '') throw upstreamError('No nonce was provided but is required by the provider')
  if (signed !== sent) throw upstreamError('The supplied nonce does not match the nonce from the id_token')
}

/** Bound to the state, which only the browser that began can return. */
const nonceOf = (state: string) => createHash('sha256').update(`nonce ${state}`).digest('base64url')
const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')

const PASSED_ON = ['login_hint', 'hd', 'prompt', 'auth_type', 'acr_values']

/** What a page may add to the address of the provider; other members are ignored. */
function upstreamParameters(form: SubmittedForm): Record<string, string> {
  const { upstream_parameters: whole } = form.kind === 'json' ? form.values : {}
  const of = (name: string): Json | undefined =>
    form.kind === 'form'
      ? form.values[`upstream_parameters.${name}`]?.[0]
      : ((Object(whole ?? {}) as JsonObject)[name] ?? undefined)
  return Object.fromEntries(
    PASSED_ON.flatMap((name): [string, string][] => {
      const value = of(name)
      if (value === undefined) return []
      if (typeof value !== 'string') throw badRequest(`upstream_parameters.${name} must be a text.`)
      return [[name, value]]
    }),
  )
}
