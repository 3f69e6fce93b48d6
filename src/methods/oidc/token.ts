import { isObject, type JsonObject } from '../../identities/types.ts'
import type { OutboundAnswer } from '../../kernel/outbound/client.ts'
import { readAnswer } from './answers.ts'
import { textAt } from './claims.ts'
import { codeRefused, upstreamError } from './errors.ts'
import type { Provider, Tokens } from './kind.ts'
import { kindOf } from './kinds.ts'
import type { Upstream } from './upstream.ts'

export interface CodeToExchange {
  provider: Provider
  code: string
  /** as it was in the authorize URL */
  redirectUri: string
  /** of PKCE */
  verifier: string | undefined
}

export interface TokenEndpoint {
  /** @throws HttpError 400 for a code that the provider does not take, 502 when it does not do its part */
  exchange(code: CodeToExchange): Promise<Tokens>
}

type Auth = 'body' | 'header'

/** Each is stored with the account; a longer one fits into no header. */
const MAX_TOKEN = 64 * 1024
/** Where an error names itself. */
const MAX_ERROR_BYTES = 4096

export function createTokenEndpoint(upstream: Upstream): TokenEndpoint {
  /** The client authentication that a provider accepted, by the id of its entry and its endpoint. */
  const known = new Map<string, Auth>()

  async function authOf(provider: Provider, key: string): Promise<Auth> {
    const { auth = 'negotiated' } = kindOf(provider).token ?? {}
    if (auth === 'body' || auth === 'header') return auth
    const remembered = known.get(key)
    if (remembered !== undefined || provider.issuer_url === undefined) return remembered ?? 'header'
    const methods = (await upstream.announced(provider.issuer_url))?.token_endpoint_auth_methods_supported
    return methods?.includes('client_secret_post') && !methods.includes('client_secret_basic') ? 'body' : 'header'
  }

  async function exchange(request: CodeToExchange): Promise<Tokens> {
    const { provider } = request
    const kind = kindOf(provider)
    const { token: url } = await kind.endpoints(provider, upstream)
    const secret = (await kind.token?.secret?.(provider, upstream.now())) ?? provider.client_secret ?? ''
    if (kind.token?.auth === 'json') return read(await upstream.postJson(url, inJson(request, secret)), kind.token.read)
    const key = `${provider.id} ${provider.client_id} ${url}`
    const auth = await authOf(provider, key)
    const send = (how: Auth) => {
      const { form, headers } = inForm(request, secret, how)
      return upstream.postForm(url, form, headers)
    }
    const answer = await send(auth)
    // A provider that does not know the client has not used up its code, which may be sent again. After any other error a
    // provider may revoke what it issued for the code.
    if (kind.token?.auth !== undefined || !isUnknownClient(answer)) return read(answer)
    const other = auth === 'header' ? 'body' : 'header'
    const second = await send(other)
    if (second.status < 400) known.set(key, other)
    return read(second)
  }

  return { exchange: (request) => exchange(request).catch(asUpstream) }
}

function inForm({ provider, code, redirectUri, verifier }: CodeToExchange, secret: string, auth: Auth) {
  const { client_id: id } = provider
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    ...(verifier === undefined ? {} : { code_verifier: verifier }),
    ...kindOf(provider).token?.parameters,
    ...(auth === 'body' ? { client_id: id, client_secret: secret } : {}),
  })
  // @see RFC 6749 §2.3.1: both are encoded as in a form before they are joined
  const basic = Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64')
  return { form, headers: auth === 'header' ? { authorization: `Basic ${basic}` } : {} }
}

const formEncoded = (text: string) => new URLSearchParams({ t: text }).toString().slice(2)

const inJson = ({ provider, code }: CodeToExchange, secret: string): JsonObject => ({
  clientId: provider.client_id,
  clientSecret: secret,
  code,
  grantType: 'authorization_code',
})

const isUnknownClient = ({ status, body }: OutboundAnswer) =>
  status === 401 || (status === 400 && body.includes('"invalid_client"'))

/** Of a code that was used, has expired, or was given to another client or browser; the second one is GitHub's. */
const REFUSED = /"(?:invalid_grant|bad_verification_code)"|error=bad_verification_code/

/** @throws HttpError 400; Error for anything else but an answer with an access token */
function read({ status, body }: OutboundAnswer, translate?: (answer: JsonObject) => JsonObject): Tokens {
  if (status < 500 && REFUSED.test(body.toString('utf8', 0, MAX_ERROR_BYTES))) throw codeRefused()
  if (status < 200 || status > 299) throw new Error(`the token endpoint answered with status ${status}`)
  const said = answerOf(body.toString('utf8'))
  const answer = translate?.(said) ?? said
  const accessToken = textAt(answer, 'access_token')
  if (accessToken === '') throw new Error('the token endpoint answered without an access_token')
  const tokens = { accessToken, idToken: textAt(answer, 'id_token'), refreshToken: textAt(answer, 'refresh_token') }
  for (const token of Object.values(tokens)) {
    if (token.length > MAX_TOKEN) throw new Error('the token endpoint answered with a token that is too long')
  }
  return { ...tokens, answer }
}

const FORM = ['access_token', 'id_token', 'refresh_token', 'scope']

/** JSON, or a form, which GitHub sends by default. */
function answerOf(text: string): JsonObject {
  try {
    const answer = readAnswer(text)
    if (isObject(answer)) return answer
  } catch {
    if (text.includes('access_token=')) {
      const form = new URLSearchParams(text)
      return Object.fromEntries(FORM.flatMap((name) => (form.has(name) ? [[name, form.get(name)!]] : [])))
    }
  }
  throw new Error('the token endpoint did not answer with a JSON object')
}

function asUpstream(error: unknown): never {
  if (error instanceof Error && error.name === 'HttpError') throw error
  throw upstreamError('The OpenID Connect provider did not give a token for the code.', error)
}
