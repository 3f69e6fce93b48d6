import { adminBaseUrl, type Config, publicBaseUrl } from '../config/schema/schema.ts'
import { createErrorContainers } from '../error-containers/service.ts'
import { createErrorStore } from '../error-containers/store.ts'
import { createEvents } from '../events/service.ts'
import { createStreams } from '../events/stream/sse.ts'
import { continuitySecrets, createContinuityCookie } from '../flows/continuity/cookie.ts'
import { createContinuity } from '../flows/continuity/service.ts'
import { createContinuityStore } from '../flows/continuity/store.ts'
import { createLoginAttempts } from '../flows/login/attempts.ts'
import { createLoginFlow } from '../flows/login/flow.ts'
import { createKnownBrowsers } from '../flows/login/known-browsers.ts'
import { createLoginStore } from '../flows/login/store.ts'
import { createAttemptStore } from '../flows/login/store-attempts.ts'
import { createRegistrationFlow } from '../flows/registration/flow.ts'
import { createRegistrationStore } from '../flows/registration/store.ts'
import { createSettingsFlow } from '../flows/settings/flow.ts'
import { createPendingForms } from '../flows/settings/pending.ts'
import { createSettingsStore } from '../flows/settings/store.ts'
import { createExchangeStore } from '../flows/store.ts'
import { createFlowUrls } from '../flows/urls.ts'
import { createIdentityAnswers } from '../identities/answers.ts'
import type { Schemas } from '../identities/schema/schemas.ts'
import { createIdentities } from '../identities/service.ts'
import { createIdentityStore } from '../identities/store.ts'
import { createIdentityLocks } from '../identities/store-locks.ts'
import { createIdentityWriter } from '../identities/store-write.ts'
import { type Clock, formatTime } from '../kernel/base/clock.ts'
import type { Logger } from '../kernel/base/log.ts'
import { withoutTrailingSlashes } from '../kernel/base/url.ts'
import { uuid } from '../kernel/base/uuid.ts'
import type { Hasher } from '../kernel/crypto/passwords/passwords.ts'
import { createPwnedChecker } from '../kernel/crypto/passwords/pwned.ts'
import type { Random } from '../kernel/crypto/tokens.ts'
import type { Db } from '../kernel/db/client.ts'
import { createLane } from '../kernel/db/limiter.ts'
import type { Meta } from '../kernel/db/meta.ts'
import { knownBrowserCookieAttributes } from '../kernel/http/cookies.ts'
import { type Csrf, createCsrf } from '../kernel/http/csrf.ts'
import { encodeQuery } from '../kernel/http/query.ts'
import { resolveReturnTo } from '../kernel/http/return-to.ts'
import { exchange } from '../kernel/outbound/client.ts'
import { addressRules } from '../kernel/outbound/guard.ts'
import { createLogoutFlow } from '../logout/flow.ts'
import { createCollector } from '../maintenance/collector.ts'
import { createRevivalWatch } from '../maintenance/revived.ts'
import { createGc } from '../maintenance/service.ts'
import { createGcStore } from '../maintenance/store.ts'
import type { Metrics } from '../ops/metrics.ts'
import { CookieCache } from '../sessions/http/cookie-cache.ts'
import { createSessionCredentials, type SessionCredentials } from '../sessions/http/credentials.ts'
import { createIdentityStateEffects } from '../sessions/identity-state.ts'
import { createLastSeen } from '../sessions/last-seen.ts'
import { createSessionManagement } from '../sessions/lists/admin-sessions.ts'
import { createOwnSessions } from '../sessions/lists/own-sessions.ts'
import { createSessionListStore } from '../sessions/lists/store.ts'
import { createSessionManageStore } from '../sessions/lists/store-manage.ts'
import { createSessions } from '../sessions/service.ts'
import { createSessionStore } from '../sessions/store.ts'
import { createSessionHotStore } from '../sessions/store-hot.ts'
import { createSessionSuspendStore } from '../sessions/store-suspend.ts'
import { createTokenizer } from '../tokens/service.ts'
import type { TokenTemplates } from '../tokens/templates.ts'

/** What the process hands in: everything that is not a pure function of the configuration. */
export interface Environment {
  config(): Config
  schemas(): Schemas
  tokenTemplates(): TokenTemplates
  dev: boolean
  /** native flows refuse requests that look like a browser's; off only by DEV_DISABLE_API_FLOW_ENFORCEMENT in dev mode */
  enforceNativeFlows: boolean
  /** the machine's name, for addresses that the configuration leaves open */
  hostname: string
  clock: Clock
  random: Random
  log: Logger
  metrics: Metrics
  db: Db
  meta: Meta
  hasher: Hasher
}

export type Deps = ReturnType<typeof createDeps>

/** Builds every service once. No other place decides what depends on what. */
export function createDeps(env: Environment) {
  const baseUrls = {
    public: () => publicBaseUrl(env.config(), env),
    admin: () => adminBaseUrl(env.config(), env),
  }
  const identityAnswers = createIdentityAnswers(baseUrls.public)
  const base = { ...env, baseUrls, identityAnswers, identityAnswer: identityAnswers.toPublic }
  const web = webDeps(base)
  const sessions = sessionDeps(base)
  const identities = identityDeps(base, sessions)
  const events = eventDeps({ ...base, ...sessions })
  const flows = flowDeps({ ...base, ...web, ...sessions, ...identities })
  const background = [...sessions.background, ...events.background]
  return { ...base, ...web, ...sessions, ...identities, ...events, ...flows, background }
}

type Base = Environment & {
  baseUrls: { public(): string; admin(): string }
  identityAnswers: ReturnType<typeof createIdentityAnswers>
  identityAnswer: ReturnType<typeof createIdentityAnswers>['toPublic']
}

function webDeps(d: Base) {
  const csrf: Csrf = createCsrf({ ...d, publicBaseUrl: d.baseUrls.public })
  const credentials: SessionCredentials = createSessionCredentials({
    ...d,
    publicBaseUrl: d.baseUrls.public,
    cookies: new CookieCache(),
  })
  const errors = createErrorContainers({ ...d, store: createErrorStore(d.db, d.meta.nid) })
  const secondFactorUrl = (returnTo: string) =>
    selfServiceUrl(d.baseUrls.public(), 'login/browser', {
      aal: 'aal2',
      ...(returnTo === '' ? {} : { return_to: returnTo }),
    })
  return { csrf, credentials, errors, secondFactorUrl }
}

function sessionDeps(d: Base) {
  const { db, meta } = d
  const shared = meta.kind === 'adopted'
  const patient = createLane(db)
  const locks = createIdentityLocks(db, meta.nid, patient)
  const store = createSessionStore(db, meta.nid, shared)
  const list = createSessionListStore(db, meta.nid)
  const { sessionsEnded: onEnded, batch: onBatch } = d.metrics
  const manage = createSessionManageStore(patient, meta.nid, shared, onEnded)
  const hot = createSessionHotStore(db, meta.nid, {
    ...{ shared, patient, onBatch, onEnded },
    now: () => formatTime(d.clock.now()),
  })
  const lastSeen = createLastSeen(d)
  const sessions = createSessions({
    ...d,
    store,
    locks,
    hot,
    lastSeen,
    onEnded,
    tokens: meta.tokens,
    shared,
    serverSecret: meta.serverSecret,
  })
  const gcStore = createGcStore(db, meta.nid, shared)
  const gc = createGc({ store: gcStore, clock: d.clock, onEnded })
  const revivals = createRevivalWatch({ ...d, store: gcStore })
  return {
    locks,
    sessions,
    gc,
    revivals,
    lastSeen,
    /** what runs beside the requests; started when the ports are open, stopped before the database closes */
    background: [lastSeen, ...(shared ? [revivals] : [])],
    ownSessions: createOwnSessions({ ...d, sessions, list }),
    sessionManagement: createSessionManagement({ ...d, store, list, locks, manage }),
    tokenizer: createTokenizer(d),
  }
}

function identityDeps(d: Base, { sessions, locks }: ReturnType<typeof sessionDeps>) {
  const identities = createIdentities({
    ...d,
    store: createIdentityStore(d.db, d.meta.nid),
    writer: createIdentityWriter(d.meta.nid, () => uuid(d.random)),
    locks,
    answers: d.identityAnswers,
    limits: () => d.config().lethe.limits,
    sessions: {
      endSessionsOf: (tx, identityId, cause, except) =>
        sessions.revokeAllOf(identityId, cause, { tx, ...(except === undefined ? {} : { except }) }),
      ...createIdentityStateEffects({
        ...d,
        sessions,
        suspend: createSessionSuspendStore(d.meta.nid),
        onEnded: d.metrics.sessionsEnded,
      }),
    },
  })
  return { identities }
}

function eventDeps(d: Base & ReturnType<typeof sessionDeps>) {
  const metrics = d.metrics.events
  const events = createEvents({ ...d, onDelivery: metrics.delivery, onEpoch: metrics.epoch, onLost: metrics.lost })
  const streams = createStreams({ maxListeners: () => d.config().lethe.events.stream.max_listeners })
  metrics.watchLog(events.eventStatus)
  metrics.watchStreams(streams.count)
  const collector = createCollector({
    ...d,
    deletes: d.meta.kind !== 'adopted',
    deleteOldEvents: events.deleteOldEvents,
  })
  return { ...events, streams, collector, background: [collector, ...events.background] }
}

function flowDeps(
  d: Base & ReturnType<typeof webDeps> & ReturnType<typeof sessionDeps> & ReturnType<typeof identityDeps>,
) {
  const { nid } = d.meta
  const flowUrls = createFlowUrls({ config: d.config, publicBaseUrl: d.baseUrls.public })
  const shared = { ...d, urls: flowUrls, exchanges: createExchangeStore(d.db, nid) }
  const { serverSecret } = d.meta
  const login = createLoginFlow({
    ...shared,
    attempts: createLoginAttempts({ ...d, serverSecret, store: createAttemptStore(d.db, nid) }),
    knownBrowsers: createKnownBrowsers({ ...d, serverSecret }),
    store: createLoginStore(d.db, nid),
  })
  const knownBrowserCookie = () => knownBrowserCookieAttributes(d.config(), d.dev, d.baseUrls.public())
  const breaches = createPwnedChecker({
    exchange,
    settings: () => d.config().selfservice.methods.password.config,
    rules: () => addressRules(d.config()),
  })
  const registration = createRegistrationFlow({ ...shared, breaches, store: createRegistrationStore(d.db, nid) })
  const settings = createSettingsFlow({ ...shared, breaches, store: createSettingsStore(d.db, nid) })
  const logout = createLogoutFlow({
    sessions: d.sessions,
    resolveReturnTo: (requested) => resolveReturnTo(requested, afterLogout(d.config(), d.baseUrls.public())),
    deadSessionSucceeds: () => d.config().lethe.logout.dead_session === 'succeed',
    logoutUrl: (token, returnTo) =>
      selfServiceUrl(d.baseUrls.public(), 'logout', {
        ...(returnTo === undefined ? {} : { return_to: returnTo }),
        token,
      }),
  })
  const continuity = createContinuity({
    ...{ clock: d.clock, random: d.random, store: createContinuityStore(d.db, nid) },
    secrets: () => continuitySecrets(d.config()),
    shared: d.meta.kind === 'adopted',
  })
  const pending = createPendingForms({ continuity, continuityCookie: createContinuityCookie(d) })
  return { flowUrls, login, knownBrowserCookie, registration, settings, pending, logout }
}

function afterLogout({ selfservice }: Config, publicBase: string) {
  const fallback = selfservice.flows.logout.after.default_browser_return_url ?? selfservice.default_browser_return_url
  return { allowed: selfservice.allowed_return_urls, publicBaseUrl: publicBase, fallback }
}

/** A URL below /self-service of the public address. */
function selfServiceUrl(base: string, path: string, query: Record<string, string>): string {
  return `${withoutTrailingSlashes(base)}/self-service/${path}?${encodeQuery(query)}`
}
