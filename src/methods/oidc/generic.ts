import type { Json } from '../../identities/types.ts'
import { toClaims } from './claims.ts'
import { idTokenMissing, untrustworthy } from './errors.ts'
import type { ClaimsRequest, Kind, Provider } from './kind.ts'
import type { Upstream } from './upstream.ts'

/** Any provider of OpenID Connect with a discovery document. */
export const generic: Kind = {
  openid: true,
  endpoints: async (provider, upstream) => endpointsOf(await upstream.discover(issuerOf(provider))),
  parameters: standardParameters,
  claims: (request) =>
    request.provider.claims_source === 'userinfo' ? userinfoClaims(request) : idTokenClaims(request),
}

const endpointsOf = (at: { authorization_endpoint: string; token_endpoint: string }) => ({
  authorization: at.authorization_endpoint,
  token: at.token_endpoint,
})

export const issuerOf = ({ issuer_url }: Provider): string => issuer_url ?? ''

/** A generic provider at a fixed address. */
export const at = (issuer: string, more: Partial<Kind> = {}, fixed: Partial<Provider> = {}): Kind => {
  const placed = (provider: Provider): Provider => ({ ...provider, ...fixed, issuer_url: issuer })
  return {
    ...generic,
    issuer,
    endpoints: (provider, upstream) => generic.endpoints(placed(provider), upstream),
    claims: (request) => generic.claims({ ...request, provider: placed(request.provider) }),
    ...more,
  }
}

export function standardParameters({ requested_claims }: Provider, refresh: boolean): Record<string, string> {
  return {
    ...(refresh ? { prompt: 'login' } : {}),
    ...(requested_claims && Object.keys(requested_claims).length > 0
      ? { claims: JSON.stringify(sorted(requested_claims as Json)) }
      : {}),
  }
}

/** Members in the order of Kratos, which providers may have been configured to expect. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member as Json)]))
}

/** All claims of the checked id token. @throws HttpError 400 */
export async function idTokenClaims({ provider, tokens, upstream }: ClaimsRequest, issuer = issuerOf(provider)) {
  if (tokens.idToken === '') throw idTokenMissing()
  const { jwks_uri } = await upstream.discover(issuer)
  const raw = await upstream.verify(tokens.idToken, { issuer, jwksUri: jwks_uri, audiences: [provider.client_id] })
  return toClaims(raw, raw)
}

/** @see OpenID Connect Core 1.0 §5.3.2: the answer counts only for the subject of the id token */
async function userinfoClaims(request: ClaimsRequest) {
  const { provider, tokens, upstream } = request
  const { userinfo_endpoint } = await upstream.discover(issuerOf(provider))
  if (userinfo_endpoint === undefined) throw untrustworthy('the provider has no userinfo endpoint')
  const raw = (await upstream.getJson(userinfo_endpoint, bearer(tokens.accessToken))) as Record<string, never>
  const claims = toClaims(raw, raw)
  const { sub, iss } = await idTokenClaims(request)
  if (sub !== claims.sub) throw untrustworthy('sub (Subject) claim mismatch between ID token and UserInfo endpoint')
  return { iss: iss!, ...claims }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Checks an id token from an app, issued for it or for another client of the same owner. */
export const submittedTo =
  (issuer: string, jwksUri: string) => async (provider: Provider, idToken: string, upstream: Upstream) => {
    const audiences = [provider.client_id, ...(provider.additional_id_token_audiences ?? [])]
    const raw = await upstream.verify(idToken, { issuer, jwksUri, audiences })
    return toClaims(raw, raw)
  }
