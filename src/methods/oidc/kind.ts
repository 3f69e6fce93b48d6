import type { Config } from '../../config/schema/schema.ts'
import type { JsonObject } from '../../identities/types.ts'
import type { Claims } from './claims.ts'
import type { Upstream } from './upstream.ts'

/** One entry of `selfservice.methods.oidc.config.providers`. */
export type Provider = Config['selfservice']['methods']['oidc']['config']['providers'][number]

export interface Endpoints {
  authorization: string
  token: string
}

/** The answer of the token endpoint. */
export interface Tokens {
  accessToken: string
  /** empty if the provider sent none, as in OAuth 2.0 without OpenID Connect */
  idToken: string
  refreshToken: string
  /** the whole answer */
  answer: JsonObject
}

export interface ClaimsRequest {
  provider: Provider
  tokens: Tokens
  upstream: Upstream
  /** query of the callback */
  query: URLSearchParams
}

export interface TokenRequest {
  /**
   * - `body`: client id and secret are form fields
   * - `header`: by HTTP Basic alone
   * - `negotiated`: as the provider announces, Basic first (@default)
   * - `json`: everything is a JSON object, with the provider's own names
   */
  auth?: 'body' | 'header' | 'negotiated' | 'json'
  parameters?: Readonly<Record<string, string>>
  /** instead of the configured one. @param now seconds since 1970 */
  secret?(provider: Provider, now: number): Promise<string>
  /** converts an answer that is not that of RFC 6749 */
  read?(answer: JsonObject): JsonObject
}

/** What is special about the providers of one kind. */
export interface Kind {
  /** if `issuer_url` is not read from the configuration */
  issuer?: string
  /** whether `openid` is always among the scopes */
  openid?: boolean
  /** @throws HttpError 500 `invalid_configuration`: the endpoints cannot be found out */
  endpoints(provider: Provider, upstream: Upstream): Promise<Endpoints>
  /** instead of the configured scopes */
  scopes?(configured: readonly string[]): string[]
  /** Further parameters of the authorize URL. @param refresh the person must sign in again, even if signed in there */
  parameters?(provider: Provider, refresh: boolean): Readonly<Record<string, string>>
  /** PKCE if the configuration leaves it open; absent: as the provider announces. `never`: the provider refuses it. */
  pkce?: 'force' | 'never'
  token?: TokenRequest
  /** @throws HttpError, FormRefused */
  claims(request: ClaimsRequest): Promise<Claims>
  /** claims that it tells at the very first sign-in only */
  toldOnce?: readonly string[]
  /** Whether the addresses that a mapper lists as verified are. Absent: they are. */
  mayVerify?(provider: Provider, claims: Claims): boolean
  /** For a provider that does not speak OAuth 2.0: its own protocol. */
  own?: {
    authorizeUrl(provider: Provider, to: { callback: string; state: string }, upstream: Upstream): Promise<string>
    claims(provider: Provider, query: URLSearchParams, upstream: Upstream): Promise<Claims>
  }
  /** For native apps with an id token of their own. */
  submitted?: {
    /** @throws Error with what is wrong with it */
    verify(provider: Provider, idToken: string, upstream: Upstream): Promise<Claims>
    /** whether a token without a nonce is accepted */
    mayLackNonce(claims: Claims): boolean
  }
}
