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
      logout: { after: { default_browser_return_url: '{{public}}/ui/signed-out' } },
    },
  },
}

export function uiServer(t: Scope, options: TestServerOptions = {}): Promise<TestServer> {
  const { config = {}, ...rest } = options
  return testServer(t, { dev: true, ...rest, config: merge(UI_CONFIG, config) })
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
