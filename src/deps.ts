import type { Clock } from './clock.ts'
import { adminBaseUrl, type Config, publicBaseUrl } from './config/schema.ts'
import { CookieCache } from './crypto/cookie-cache.ts'
import type { Hasher } from './crypto/passwords.ts'
import type { Random } from './crypto/tokens.ts'
import type { Db } from './db/client.ts'
import type { Meta } from './db/meta.ts'
import { createErrorContainers } from './features/errors/service.ts'
import { createErrorStore } from './features/errors/store.ts'
import { createLogoutFlow } from './features/logout/flow.ts'
import { createSessions } from './features/sessions/service.ts'
import { createSessionStore } from './features/sessions/store.ts'
import { type Csrf, createCsrf } from './http/csrf.ts'
import { encodeQuery } from './http/query.ts'
import { resolveReturnTo } from './http/return-to.ts'
import { createSessionCredentials, type SessionCredentials } from './http/session-credentials.ts'
import type { Logger } from './log.ts'

/** What the process hands in: everything that is not a pure function of the configuration. */
export interface Environment {
  config(): Config
  dev: boolean
  /** the machine's name, for addresses that the configuration leaves open */
  hostname: string
  clock: Clock
  random: Random
  log: Logger
  db: Db
  meta: Meta
  hasher: Hasher
}

export type Deps = Awaited<ReturnType<typeof createDeps>>

/** Builds every service once. No other place decides what depends on what. */
export async function createDeps(env: Environment) {
  const { clock, random, db, meta } = env
  const baseUrls = {
    public: () => publicBaseUrl(env.config(), env),
    admin: () => adminBaseUrl(env.config(), env),
  }
  const csrf: Csrf = createCsrf({ ...env, publicBaseUrl: baseUrls.public })
  const credentials: SessionCredentials = createSessionCredentials({ ...env, cookies: new CookieCache() })
  const errors = createErrorContainers({ store: createErrorStore(db, meta.nid), clock, random })
  const sessions = createSessions({
    ...env,
    store: createSessionStore(db, meta.nid, meta.kind === 'adopted'),
    tokens: meta.tokens,
    serverSecret: meta.serverSecret,
    identityAnswer: (identity) => ({ ...identity }),
  })
  const logout = createLogoutFlow({
    sessions,
    resolveReturnTo: (requested) => resolveReturnTo(requested, returnToRules(env.config(), baseUrls.public())),
    deadSessionSucceeds: () => env.config().lethe.logout.dead_session === 'succeed',
    logoutUrl: (token, returnTo) =>
      selfServiceUrl(baseUrls.public(), 'logout', { ...optional({ return_to: returnTo }), token }),
  })
  return { ...env, baseUrls, csrf, credentials, errors, sessions, logout }
}

function returnToRules(config: Config, base: string) {
  const { selfservice } = config
  const fallback = selfservice.flows.logout.after.default_browser_return_url ?? selfservice.default_browser_return_url
  return { allowed: selfservice.allowed_return_urls, publicBaseUrl: base, fallback }
}

/** A URL below /self-service of the public address. */
export function selfServiceUrl(base: string, path: string, query: Record<string, string>): string {
  return `${base.replace(/\/+$/, '')}/self-service/${path}?${encodeQuery(query)}`
}

function optional(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
