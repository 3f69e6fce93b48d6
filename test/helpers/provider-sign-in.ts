import { Client, csrfOf } from './client.ts'
import type { Scope } from './db.ts'
import { mergePatch, type TestServer, type TestServerOptions, testServer } from './server.ts'
import { type StubProvider, stubProvider } from './stub-provider.ts'
import { pathOf } from './ui.ts'

export interface WithProvider {
  server: TestServer
  provider: StubProvider
}

const SESSION = { hooks: [{ hook: 'session' }] }

/** A server where people sign in at a provider. @param entries of it, as people choose them */
export async function serverWithProvider(
  t: Scope,
  options: TestServerOptions = {},
  entries: (provider: StubProvider) => Record<string, unknown>[] = (provider) => [provider.entry('one')],
): Promise<WithProvider> {
  const provider = await stubProvider(t)
  const own = {
    methods: { oidc: { enabled: true, config: { providers: entries(provider) } } },
    flows: { registration: { after: { password: SESSION, oidc: SESSION } } },
  }
  const selfservice = mergePatch(own, (options.config?.selfservice ?? {}) as Record<string, unknown>)
  const server = await testServer(t, { ...options, config: { ...options.config, selfservice } })
  return { server, provider }
}

/** Chooses a provider as a script in the browser does. @returns the address that the browser is sent to */
export async function leaveFor(
  client: Client,
  provider = 'one',
  { kind = 'login', query = '' }: { kind?: 'login' | 'registration' | 'settings'; query?: string } = {},
): Promise<string> {
  const flow = (await client.get(`/self-service/${kind}/browser${query}`)).body
  const choice = kind === 'settings' ? { link: provider } : { provider }
  const sent = await client.send('POST', pathOf(flow.ui.action), {
    json: { method: 'oidc', csrf_token: csrfOf(flow), ...choice },
  })
  if (sent.status !== 422) throw new Error(`not sent to the provider: ${sent.status} ${sent.text}`)
  return sent.body.redirect_browser_to
}

/** The whole way, from a new browser; whoever is new is registered. */
export async function signInAt({ server, provider }: WithProvider, claims: { sub: string } & Record<string, unknown>) {
  const client = new Client(server)
  const done = await client.get(provider.signIn(await leaveFor(client), claims))
  if (done.status !== 200) throw new Error(`not signed in: ${done.status} ${done.text}`)
  const { session } = await whoami(client)
  return { client, session }
}

export async function whoami(client: Client): Promise<{ status: number; session: any }> {
  const { status, body } = await client.get('/sessions/whoami')
  return { status, session: body }
}
