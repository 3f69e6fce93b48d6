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

/** What the token endpoint answered. */
export interface Tokens {
  accessToken: string
  /** empty where the provider sent none, as in OAuth 2.0 without OpenID Connect */
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
   * - `json`: everything is a JSON object, in the provider's own words
   */
  auth?: 'body' | 'header' | 'negotiated' | 'json'
  parameters?: Readonly<Record<string, string>>
  /** instead of the configured one. @param now seconds since 1970 */
  secret?(provider: Provider, now: number): Promise<string>
  /** reads an answer that is not that of RFC 6749 */
  read?(answer: JsonObject): JsonObject
}

/** How the providers of one kind differ from the others. */
export interface Kind {
  /** where `issuer_url` is not read from the configuration */
  issuer?: string
  /** whether `openid` is among the scopes, asked for or not */
  openid?: boolean
  /** @throws HttpError 500 `invalid_configuration`: the provider cannot be asked where they are */
  endpoints(provider: Provider, upstream: Upstream): Promise<Endpoints>
  /** instead of the configured scopes */
  scopes?(configured: readonly string[]): string[]
  /** Further parameters of the authorize URL. @param refresh the person is to sign in again, though signed in already */
  parameters?(provider: Provider, refresh: boolean): Readonly<Record<string, string>>
  /** PKCE where the configuration leaves it open; absent: as the provider announces. `never`: it is refused there. */
  pkce?: 'force' | 'never'
  token?: TokenRequest
  /** @throws HttpError, FormRefused */
  claims(request: ClaimsRequest): Promise<Claims>
  /** For a provider that does not speak OAuth 2.0: its own way there and back. */
  own?: {
    authorizeUrl(provider: Provider, to: { callback: string; state: string }, upstream: Upstream): Promise<string>
    claims(provider: Provider, query: URLSearchParams, upstream: Upstream): Promise<Claims>
  }
  /** For native apps that have an id token of their own. */
  submitted?: {
    /** @throws Error with what is wrong with it */
    verify(provider: Provider, idToken: string, upstream: Upstream): Promise<Claims>
    /** whether a token without a nonce is taken all the same */
    mayLackNonce(claims: Claims): boolean
  }
}
