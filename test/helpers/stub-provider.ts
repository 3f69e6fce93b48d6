import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Scope } from './db.ts'

type Claims = Record<string, unknown> & { sub: string }

export interface StubProvider {
  issuer: string
  /** entry of `selfservice.methods.oidc.config.providers` */
  entry(id: string, more?: Record<string, unknown>): Record<string, unknown>
  /** Somebody signs in at the address that the browser was sent to. @returns the address that it comes back to */
  signIn(authorizeUrl: string, claims: Claims): string
  /** Whether nobody has tried to redeem the code so far; the first try uses it up, also a wrong one. */
  holds(code: string): boolean
  /** paths that were asked for, in order */
  asked: string[]
  /** answers of paths instead of the right ones */
  instead: Map<string, (request: IncomingMessage) => { status?: number; body: unknown } | Promise<never>>
}

/** `email` of the claims becomes the trait. */
export const MAPPER = `base64://${Buffer.from(
  "local claims = std.extVar('claims');\n{ identity: { traits: { [if 'email' in claims then 'email' else null]: claims.email } } }",
).toString('base64')}`

/** An OpenID provider whose people sign in by a call: codes are good once, and bound by PKCE where that was asked for. */
export async function stubProvider(t: Scope): Promise<StubProvider> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] }
  const codes = new Map<string, { claims: Claims; asked: URLSearchParams }>()
  const asked: string[] = []
  const instead: StubProvider['instead'] = new Map()
  let issuer = ''

  async function token(request: IncomingMessage) {
    const form = new URLSearchParams(await textOf(request))
    const code = form.get('code') ?? ''
    const granted = codes.get(code)
    codes.delete(code)
    const challenge = granted?.asked.get('code_challenge') ?? undefined
    const proved = challenge === undefined || challenge === s256(form.get('code_verifier') ?? '')
    if (!granted || !proved || granted.asked.get('redirect_uri') !== form.get('redirect_uri')) {
      return { status: 400, body: { error: 'invalid_grant' } }
    }
    const nonce = granted.asked.get('nonce')
    const idToken = await new SignJWT({ ...(nonce ? { nonce } : {}), ...granted.claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuer(issuer)
      .setAudience(granted.asked.get('client_id') ?? '')
      .setIssuedAt()
      .setExpirationTime('3650d')
      .sign(privateKey)
    return { body: { access_token: randomBytes(8).toString('hex'), token_type: 'Bearer', id_token: idToken } }
  }

  const metadata = () => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    token_endpoint_auth_methods_supported: ['client_secret_basic'],
    code_challenge_methods_supported: ['S256'],
  })
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '', issuer).pathname
    asked.push(path)
    const right = async () => {
      if (path === '/.well-known/openid-configuration') return { body: metadata() }
      if (path === '/jwks') return { body: keys }
      return path === '/token' ? token(request) : { status: 404, body: {} }
    }
    const { status = 200, body } = (await (instead.get(path) ?? right)(request)) as { status?: number; body: unknown }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    issuer,
    asked,
    instead,
    entry: (id, more = {}) => ({
      ...{ id, provider: 'generic', issuer_url: issuer, client_id: `client-${id}`, client_secret: 'secret' },
      ...{ mapper_url: MAPPER, ...more },
    }),
    signIn(authorizeUrl, claims) {
      const { searchParams } = new URL(authorizeUrl)
      const code = randomBytes(16).toString('hex')
      codes.set(code, { claims, asked: searchParams })
      const back = new URL(searchParams.get('redirect_uri') ?? '')
      back.searchParams.set('code', code)
      back.searchParams.set('state', searchParams.get('state') ?? '')
      return back.href
    },
    holds: (code) => codes.has(code),
  }
}

const s256 = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
