import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose'
import type { Json, JsonObject } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { parseUrl } from '../../kernel/base/url.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { OutboundAnswer, OutboundRequest } from '../../kernel/outbound/client.ts'
import { notInitialized, untrustworthy, upstreamError } from './errors.ts'

/** The discovery document of a provider, as far as it is used. */
export interface Metadata {
  issuer: string
  authorization_endpoint: string
  token_endpoint: string
  userinfo_endpoint?: string
  jwks_uri: string
  end_session_endpoint?: string
  token_endpoint_auth_methods_supported?: readonly string[]
  code_challenge_methods_supported?: readonly string[]
  authorization_response_iss_parameter_supported?: boolean
}

export interface TokenTrust {
  issuer: string
  jwksUri: string
  /** one of them must be among `aud` */
  audiences: readonly string[]
}

/** The servers of providers: each request is bounded in time and size, and documents are cached. */
export interface Upstream {
  /** @throws HttpError 500 `invalid_configuration` */
  discover(issuer: string): Promise<Metadata>
  /** The cached document of an issuer, without an error; undefined while it cannot be read. */
  announced(issuer: string): Promise<Metadata | undefined>
  /** @returns an object, from a 200 answer. @throws HttpError 502 `upstream_error` */
  getJson(url: string, headers?: Readonly<Record<string, string>>): Promise<Json>
  postForm(url: string, form: URLSearchParams, headers?: Readonly<Record<string, string>>): Promise<OutboundAnswer>
  postJson(url: string, body: Json): Promise<OutboundAnswer>
  /** The claims of a token that the issuer signed for us. @throws HttpError 400 with what is wrong with it */
  verify(idToken: string, trust: TokenTrust): Promise<JsonObject>
  /** seconds since 1970 */
  now(): number
  random: Random
}

export interface UpstreamDeps {
  clock: Clock
  random: Random
  /** guarded by `clients.http`. @throws Error when there was no answer */
  exchange(request: OutboundRequest): Promise<OutboundAnswer>
}

const TIMEOUT_MS = 8000
const MAX_BYTES = 1024 * 1024
/** How long a discovery document is cached; after a failure it is read again at once. */
const KEPT_SECONDS = 600
/** An unknown key is a reason to read the keys again, but not for every forged token. */
const COOL_DOWN_SECONDS = 10
/** Clocks may differ by this much. */
const TOLERANCE_SECONDS = 60
/** Issuers that are cached: each is one of the configuration, or a tenant of Microsoft. */
const MOST_KEPT = 200

interface Kept<T> {
  value: T
  at: number
}

export function createUpstream({ clock, random, exchange }: UpstreamDeps): Upstream {
  const seconds = () => clock.now() / 1e6
  const known = new Map<string, Kept<Metadata>>()
  const keys = new Map<string, Kept<JSONWebKeySet>>()

  async function ask(request: Pick<OutboundRequest, 'method' | 'url' | 'headers' | 'body'>): Promise<OutboundAnswer> {
    const answer = await exchange({ ...request, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES })
    if (answer.cut !== undefined) throw new Error(answer.cut)
    return answer
  }

  async function get(url: string): Promise<Json> {
    const answer = await ask({ method: 'GET', url, headers: { accept: 'application/json' } })
    if (answer.status !== 200) throw new Error(`${new URL(url).host} answered with status ${answer.status}`)
    return parse(answer)
  }

  async function discover(issuer: string): Promise<Metadata> {
    const old = known.get(issuer)
    if (old !== undefined && seconds() - old.at < KEPT_SECONDS) return old.value
    try {
      const value = checked(await get(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`), issuer)
      keep(known, issuer, { value, at: seconds() })
      return value
    } catch (error) {
      // the previous answer is better than no sign-in
      if (old !== undefined) return old.value
      throw notInitialized(error)
    }
  }

  async function readKeys(uri: string): Promise<JSONWebKeySet> {
    const set = (await get(uri)) as unknown as JSONWebKeySet
    keep(keys, uri, { value: { keys: Array.isArray(set?.keys) ? set.keys : [] }, at: seconds() })
    return keys.get(uri)!.value
  }

  async function keysOf(uri: string, maxAge: number): Promise<JSONWebKeySet> {
    const old = keys.get(uri)
    if (old !== undefined && seconds() - old.at < maxAge) return old.value
    return readKeys(uri).catch((error: unknown) => {
      if (old !== undefined) return old.value
      throw error
    })
  }

  async function verifyWith(set: JSONWebKeySet, idToken: string, { issuer, audiences }: TokenTrust) {
    const { payload } = await jwtVerify(idToken, createLocalJWKSet(set), {
      issuer,
      audience: [...audiences],
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(seconds() * 1000),
      requiredClaims: ['exp'],
    })
    // @see OpenID Connect Core 1.0 §3.1.3.7, 5
    if (payload.azp !== undefined && !audiences.includes(String(payload.azp))) {
      throw new Error('the id_token was issued to another client (azp)')
    }
    return payload as JsonObject
  }

  return {
    discover,
    announced: (issuer) => discover(issuer).catch(() => undefined),
    async getJson(url, headers = {}) {
      const answer = await ask({ method: 'GET', url, headers: { accept: 'application/json', ...headers } }).catch(
        (error: unknown) => {
          throw upstreamError('The OpenID Connect provider did not answer.', error)
        },
      )
      if (answer.status !== 200) {
        throw upstreamError(`OpenID Connect provider returned a ${answer.status} status code but 200 is expected.`)
      }
      try {
        return parse(answer)
      } catch (error) {
        throw upstreamError('The OpenID Connect provider did not answer with JSON.', error)
      }
    },
    postForm: (url, form, headers = {}) =>
      ask({
        method: 'POST',
        url,
        headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: form.toString(),
      }),
    postJson: (url, body) =>
      ask({
        method: 'POST',
        url,
        headers: { accept: 'application/json', 'content-type': 'application/json;charset=UTF-8' },
        body: JSON.stringify(body),
      }),
    async verify(idToken, trust) {
      try {
        const { jwksUri } = trust
        try {
          return await verifyWith(await keysOf(jwksUri, KEPT_SECONDS), idToken, trust)
        } catch (error) {
          if (!mayBeNewKey(error)) throw error
          return await verifyWith(await keysOf(jwksUri, COOL_DOWN_SECONDS), idToken, trust)
        }
      } catch (error) {
        throw untrustworthy(error)
      }
    },
    now: seconds,
    random,
  }
}

const mayBeNewKey = (error: unknown) =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed

function keep<T>(into: Map<string, T>, name: string, value: T): void {
  into.delete(name)
  into.set(name, value)
  for (const oldest of into.keys()) {
    if (into.size <= MOST_KEPT) break
    into.delete(oldest)
  }
}

function parse({ body }: OutboundAnswer): Json {
  return JSON.parse(body.toString('utf8')) as Json
}

/** @throws Error unless it can be the document of this issuer */
function checked(said: Json, issuer: string): Metadata {
  const metadata = said as unknown as Metadata
  if (typeof metadata !== 'object' || metadata === null) throw new Error('the answer is no JSON object')
  if (metadata.issuer !== issuer) {
    throw new Error(`the issuer did not match the one that was asked for, expected ${issuer}, got ${metadata.issuer}`)
  }
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    if (typeof metadata[name] !== 'string' || parseUrl(metadata[name]) === undefined) {
      throw new Error(`its configuration has no ${name}`)
    }
  }
  return metadata
}
