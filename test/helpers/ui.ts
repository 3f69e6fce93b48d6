import assert from 'node:assert/strict'
import { Client, createPerson, type Person, type Reply, signIn } from './client.ts'
import type { Scope } from './db.ts'
import { type TestServer, type TestServerOptions, testServer } from './server.ts'

/** A configuration like that of `npm start`: the built-in pages and nothing beside. */
export const UI_CONFIG = {
  selfservice: {
    default_browser_return_url: '{{public}}/ui/welcome',
    allowed_return_urls: ['{{public}}'],
    flows: {
      login: { ui_url: '{{public}}/ui/login' },
      registration: { ui_url: '{{public}}/ui/registration', style: 'unified' },
      settings: { ui_url: '{{public}}/ui/settings' },
      error: { ui_url: '{{public}}/ui/error' },
      recovery: { ui_url: '{{public}}/ui/recovery' },
      verification: { ui_url: '{{public}}/ui/verification' },
      logout: { after: { default_browser_return_url: '{{public}}/ui/signed-out' } },
    },
  },
}

export function uiServer(t: Scope, options: TestServerOptions = {}): Promise<TestServer> {
  const { config = {}, ...rest } = options
  return testServer(t, { dev: true, ...rest, config: merge(UI_CONFIG, config) })
}

/** What a browser asks pages with. */
export const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
/** An id that nothing has. */
export const ID = '00000000-0000-4000-8000-000000000000'

export async function signedIn(server: TestServer): Promise<{ client: Client; person: Person }> {
  const client = new Client(server)
  const person = await createPerson(server)
  await signIn(client, person)
  return { client, person }
}

/** Opens the login page as a browser does, over its redirects. */
export async function openLogin(client: Client, query = ''): Promise<{ path: string; reply: Reply }> {
  const begun = await client.get(`/self-service/login/browser${query}`, BROWSER)
  assert.equal(begun.status, 303)
  const path = pathOf(begun.headers.get('location'))
  return { path, reply: await client.get(path, BROWSER) }
}

export function pathOf(url: string | null): string {
  const { pathname, search } = new URL(url ?? '')
  return pathname + search
}

function merge(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const out = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const known = out[key]
    out[key] = isTree(known) && isTree(value) ? merge(known, value) : value
  }
  return out
}

const isTree = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
