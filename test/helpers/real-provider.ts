import { createServer } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
// @ts-expect-error the package has no types
import Provider from 'oidc-provider'
import type { Scope } from './db.ts'
import { freePort } from './free-port.ts'

export interface RealProvider {
  issuer: string
  clientSecret: string
  /** Takes the place of its signing key, as after a rotation. */
  rotateKeys(): Promise<void>
  /** Closes the port, and opens it again. */
  stop(): Promise<void>
  start(): Promise<void>
}

const SECRET = 'a-secret-of-the-provider-for-tests'

/**
 * The package oidc-provider with its own pages: people type a name and any password, and are known as NAME@example.org.
 * @param publicUrl of the server that sends people there, asked for once it is known
 */
export async function realProvider(t: Scope, publicUrl: () => string): Promise<RealProvider> {
  let serve: ((request: unknown, response: unknown) => void) | undefined
  const server = createServer((request, response) => serve?.(request, response))
  const listen = (port: number) => new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  // It stops and starts again there, which a port of the system's choice does not outlive.
  const port = await freePort()
  await listen(port)
  const issuer = `http://127.0.0.1:${port}`
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }

  let made = 0
  async function rotateKeys() {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    made += 1
    const key = { ...(await exportJWK(privateKey)), kid: `key-${made}`, alg: 'RS256', use: 'sig' }
    const provider = new Provider(issuer, {
      clients: [{ client_id: 'lethe', client_secret: SECRET, redirect_uris: ['http://127.0.0.1/callback'] }],
      jwks: { keys: [key] },
      cookies: { keys: ['cookies-of-the-provider'] },
      conformIdTokenClaims: false,
      claims: { openid: ['sub', 'sid'], email: ['email', 'email_verified'] },
      findAccount: (_: unknown, id: string) => ({
        accountId: id,
        claims: async () => ({ sub: id, email: `${id}@example.org`, email_verified: true }),
      }),
    })
    // The client is registered before the port of the server is known.
    provider.Client.prototype.redirectUriAllowed = (uri: string) => uri.startsWith(`${publicUrl()}/self-service/`)
    serve = provider.callback()
  }
  await rotateKeys()
  t.after(async () => {
    if (server.listening) await stop()
  })
  return { issuer, clientSecret: SECRET, rotateKeys, stop, start: () => listen(port) }
}
