import { createHmac } from 'node:crypto'
import { textAt, toClaims } from '../claims.ts'
import { upstreamError } from '../errors.ts'
import type { Kind, Provider } from '../kind.ts'
import type { Upstream } from '../upstream.ts'

const API = 'https://api.twitter.com'
const PROFILE = `${API}/1.1/account/verify_credentials.json`

/** Speaks OAuth 1.0a. @see https://docs.x.com/resources/fundamentals/authentication/oauth-1-0a/obtaining-user-access-tokens */
export const x: Kind = {
  endpoints: async () => ({ authorization: `${API}/oauth/authenticate`, token: `${API}/oauth/access_token` }),
  claims: () => Promise.reject(upstreamError('X does not speak OAuth 2.0 here')),
  own: {
    async authorizeUrl(provider, { callback, state }, upstream) {
      // The provider returns with parameters of its own; these two let the callback find its way.
      const oauth_callback = `${callback}?${new URLSearchParams({ state, code: 'unused' })}`
      const answer = await post(upstream, `${API}/oauth/request_token`, provider, { oauth_callback })
      return `${API}/oauth/authenticate?${new URLSearchParams({ oauth_token: answer.get('oauth_token')! })}`
    },
    async claims(provider, query, upstream) {
      const granted = { oauth_token: query.get('oauth_token') ?? '', oauth_verifier: query.get('oauth_verifier') ?? '' }
      const token = await post(upstream, `${API}/oauth/access_token`, provider, granted)
      const fields: Record<string, string> = provider.scope?.includes('email') ? { include_email: 'true' } : {}
      const authorization = signed('GET', PROFILE, provider, {
        fields,
        oauth: { oauth_token: token.get('oauth_token') ?? '' },
        tokenSecret: token.get('oauth_token_secret') ?? '',
        upstream,
      })
      const search = new URLSearchParams(fields).toString()
      const url = search === '' ? PROFILE : `${PROFILE}?${search}`
      const user = await upstream.getJson(url, { authorization })
      return toClaims({
        iss: url,
        sub: textAt(user, 'id_str'),
        name: textAt(user, 'name'),
        picture: textAt(user, 'profile_image_url_https'),
        email: textAt(user, 'email'),
        preferred_username: textAt(user, 'screen_name'),
        website: textAt(user, 'url'),
      })
    },
  },
}

async function post(upstream: Upstream, url: string, provider: Provider, oauth: Record<string, string>) {
  const authorization = signed('POST', url, provider, { fields: {}, oauth, tokenSecret: '', upstream })
  const answer = await upstream.postForm(url, new URLSearchParams(), { authorization }).catch((error: unknown) => {
    throw upstreamError('X did not answer.', error)
  })
  if (answer.status !== 200) throw upstreamError(`X answered with status ${answer.status} but 200 is expected.`)
  const said = new URLSearchParams(answer.body.toString('utf8'))
  if (!said.get('oauth_token')) throw upstreamError('X answered without an oauth_token.')
  return said
}

interface Signing {
  /** query of the URL */
  fields: Readonly<Record<string, string>>
  oauth: Readonly<Record<string, string>>
  tokenSecret: string
  upstream: Upstream
}

/** The header of a signed request. @see RFC 5849 §3.4 and §3.5.1 */
function signed(
  method: string,
  url: string,
  provider: Provider,
  { fields, oauth, tokenSecret, upstream }: Signing,
): string {
  const all: Record<string, string> = {
    oauth_consumer_key: provider.client_id,
    oauth_nonce: upstream.random(16).toString('hex'),
    oauth_signature_method: 'HMAC-SHA1',
    oauth_timestamp: String(Math.floor(upstream.now())),
    oauth_version: '1.0',
    ...oauth,
  }
  const pairs = Object.entries({ ...all, ...fields }).map(([name, value]) => `${encode(name)}=${encode(value)}`)
  const base = [method, url, pairs.sort().join('&')].map(encode).join('&')
  const key = `${encode(provider.client_secret ?? '')}&${encode(tokenSecret)}`
  const signature = createHmac('sha1', key).update(base).digest('base64')
  const header = Object.entries({ ...all, oauth_signature: signature })
  return `OAuth ${header.map(([name, value]) => `${encode(name)}="${encode(value)}"`).join(', ')}`
}

/** @see RFC 5849 §3.6 */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
