import type { Json, JsonObject } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { parseUrl } from '../../kernel/base/url.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { OutboundAnswer, OutboundRequest } from '../../kernel/outbound/client.ts'
import { createDocuments } from '../../kernel/outbound/documents.ts'
import { readAnswer } from './answers.ts'
import { textAt } from './claims.ts'
import { notInitialized, untrustworthy, upstreamError } from './errors.ts'
import { mayBeNewKey, verifyIdToken } from './id-token.ts'

/** The discovery document of a provider, as far as it is used. */
export interface Metadata {
  issuer: string
  authorization_endpoint: string
  token_endpoint: string
  userinfo_endpoint?: string
  jwks_uri: string
  token_endpoint_auth_methods_supported: readonly string[] | undefined
  code_challenge_methods_supported: readonly string[] | undefined
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
  /** A sign-in failed, perhaps because the provider has moved since: its document is read again for the next one. */
  doubt(issuer: string): void
  /** @returns an object or a list, from a 200 answer. @throws HttpError 502 `upstream_error` */
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
export function createUpstream({ clock, random, exchange }: UpstreamDeps): Upstream {
  const seconds = () => clock.now() / 1e6
  async function ask(request: Pick<OutboundRequest, 'method' | 'url' | 'headers' | 'body'>): Promise<OutboundAnswer> {
    const answer = await exchange({ ...request, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES })
    if (answer.cut !== undefined) throw new Error(answer.cut)
    return answer
  }

  async function get(url: string) {
    const answer = await ask({ method: 'GET', url, headers: { accept: 'application/json' } })
    if (answer.status !== 200) throw new Error(`${new URL(url).host} answered with status ${answer.status}`)
    return { value: readAnswer(answer.body), headers: answer.headers }
  }

  const metadata = createDocuments(async (issuer) => {
    const { value, headers } = await get(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
    return { value: checked(value, issuer), headers }
  }, seconds)
  const keys = createDocuments(get, seconds)

  const discover = (issuer: string): Promise<Metadata> =>
    metadata.get(issuer).catch((error: unknown) => {
      throw notInitialized(error)
    })

  return {
    discover,
    announced: (issuer) => discover(issuer).catch(() => undefined),
    doubt: metadata.doubt,
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
        return readAnswer(answer.body)
      } catch (error) {
        throw upstreamError('The OpenID Connect provider did not answer with JSON that can be used.', error)
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
      const verifyWith = (set: Json) => verifyIdToken(set, idToken, trust, seconds())
      try {
        try {
          return await verifyWith(await keys.get(trust.jwksUri))
        } catch (error) {
          if (!mayBeNewKey(error)) throw error
          return await verifyWith(await keys.again(trust.jwksUri))
        }
      } catch (error) {
        throw untrustworthy(error)
      }
    },
    now: seconds,
    random,
  }
}

/** @throws Error unless it can be the document of this issuer */
function checked(said: Json, issuer: string): Metadata {
  const all = said as JsonObject
  if (all.issuer !== issuer) {
    throw new Error(
      `the issuer did not match the one that was asked for, expected ${issuer}, got ${textAt(all, 'issuer')}`,
    )
  }
  const optional = (name: string) => {
    const url = textAt(all, name)
    return /^https?:$/.test(parseUrl(url)?.protocol ?? '') ? { [name]: url } : {}
  }
  const addresses = Object.assign({}, ...ADDRESSES.map(optional)) as Record<(typeof ADDRESSES)[number], string>
  for (const name of REQUIRED) {
    if (addresses[name] === undefined) throw new Error(`its configuration has no ${name}`)
  }
  return {
    issuer,
    ...addresses,
    token_endpoint_auth_methods_supported: texts(all.token_endpoint_auth_methods_supported),
    code_challenge_methods_supported: texts(all.code_challenge_methods_supported),
  }
}

const REQUIRED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const
const ADDRESSES = [...REQUIRED, 'userinfo_endpoint'] as const

const texts = (list: Json | undefined): string[] | undefined =>
  Array.isArray(list) ? list.filter((one) => typeof one === 'string') : undefined
