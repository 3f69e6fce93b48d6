import { type Clock, formatTime } from './clock.ts'
import { adminBaseUrl, type Config, publicBaseUrl } from './config/schema.ts'
import { CookieCache } from './crypto/cookie-cache.ts'
import type { Hasher } from './crypto/passwords.ts'
import { createPwnedChecker } from './crypto/pwned.ts'
import type { Random } from './crypto/tokens.ts'
import { uuid } from './crypto/uuid.ts'
import type { Db } from './db/client.ts'
import { createLane } from './db/lane.ts'
import type { Meta } from './db/meta.ts'
import { createErrorContainers } from './features/errors/service.ts'
import { createErrorStore } from './features/errors/store.ts'
import { createEventRetention } from './features/events/retention.ts'
import { createEvents } from './features/events/service.ts'
import { createStreams } from './features/events/sse.ts'
import { createEventLogStore } from './features/events/store-log.ts'
import { createExchangeStore } from './features/flows/store.ts'
import { createFlowUrls } from './features/flows/urls.ts'
import { createCollector } from './features/gc/collector.ts'
import { createRevivalWatch } from './features/gc/revived.ts'
import { createGc } from './features/gc/service.ts'
import { createGcStore } from './features/gc/store.ts'
import { createIdentityAnswers } from './features/identities/answers.ts'
import type { Schemas } from './features/identities/schemas.ts'
import { createIdentities } from './features/identities/service.ts'
import { createIdentityStore } from './features/identities/store.ts'
import { createIdentityWriter } from './features/identities/store-write.ts'
import { type AttemptsElsewhere, createLoginAttempts } from './features/login/attempts.ts'
import { createLoginFlow } from './features/login/flow.ts'
import { createLoginStore } from './features/login/store.ts'
import { createLogoutFlow } from './features/logout/flow.ts'
import { createRegistrationFlow } from './features/registration/flow.ts'
import { createRegistrationStore } from './features/registration/store.ts'
import { createIdentityStateEffects } from './features/sessions/identity-state.ts'
import { createLastSeen } from './features/sessions/last-seen.ts'
import { createSessionManagement } from './features/sessions/manage.ts'
import { createOwnSessions } from './features/sessions/own.ts'
import { createSessions } from './features/sessions/service.ts'
import { createSessionStore } from './features/sessions/store.ts'
import { createSessionHotStore } from './features/sessions/store-hot.ts'
import { createSessionListStore } from './features/sessions/store-list.ts'
import { createSessionManageStore } from './features/sessions/store-manage.ts'
import { createSessionSuspendStore } from './features/sessions/store-suspend.ts'
import { createTokenizer } from './features/sessions/tokenizer.ts'
import type { TokenTemplates } from './features/sessions/tokenizer-templates.ts'
import { createSettingsFlow } from './features/settings/flow.ts'
import { createSettingsStore } from './features/settings/store.ts'
import { type Csrf, createCsrf } from './http/csrf.ts'
import { encodeQuery } from './http/query.ts'
import { resolveReturnTo } from './http/return-to.ts'
import { createSessionCredentials, type SessionCredentials } from './http/session-credentials.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './ops/metrics.ts'

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
  /** failed sign-ins at the other processes of this node, where there are any */
  attemptsElsewhere?: AttemptsElsewhere | undefined
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
  const credentials: SessionCredentials = createSessionCredentials({ ...d, cookies: new CookieCache() })
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
  const store = createSessionStore(db, meta.nid, shared, patient)
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
    hot,
    lastSeen,
    onEnded,
    tokens: meta.tokens,
    shared,
    serverSecret: meta.serverSecret,
  })
  const gcStore = createGcStore(db, meta.nid, shared)
  const gc = createGc({ store: gcStore, clock: d.clock, onEnded })
  const collector = createCollector({
    ...d,
    gc,
    deletes: !shared,
    deleteOldEvents: createEventRetention({ ...d, store: createEventLogStore(db, meta.nid) }),
  })
  const revivals = createRevivalWatch({ ...d, store: gcStore })
  return {
    sessions,
    collector,
    revivals,
    lastSeen,
    /** what runs beside the requests; started when the ports are open, stopped before the database closes */
    background: [lastSeen, collector, ...(shared ? [revivals] : [])],
    ownSessions: createOwnSessions({ ...d, sessions, list }),
    sessionManagement: createSessionManagement({ ...d, store, list, manage }),
    tokenizer: createTokenizer(d),
  }
}

function identityDeps(d: Base, { sessions }: ReturnType<typeof sessionDeps>) {
  const identities = createIdentities({
    ...d,
    store: createIdentityStore(d.db, d.meta.nid),
    writer: createIdentityWriter(d.meta.nid, () => uuid(d.random)),
    answers: d.identityAnswers,
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
  const events = createEvents({ ...d, onDelivery: metrics.delivery })
  const streams = createStreams({ maxListeners: () => d.config().lethe.events.stream.max_listeners })
  metrics.watchReceivers(events.receiverStates)
  metrics.watchStreams(streams.count)
  return { ...events, streams }
}

function flowDeps(
  d: Base & ReturnType<typeof webDeps> & ReturnType<typeof sessionDeps> & ReturnType<typeof identityDeps>,
) {
  const { nid } = d.meta
  const flowUrls = createFlowUrls({ config: d.config, publicBaseUrl: d.baseUrls.public })
  const shared = { ...d, urls: flowUrls, exchanges: createExchangeStore(d.db, nid) }
  const login = createLoginFlow({ ...shared, attempts: createLoginAttempts(d), store: createLoginStore(d.db, nid) })
  const breaches = createPwnedChecker({ fetch, settings: () => d.config().selfservice.methods.password.config })
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
  return { flowUrls, login, registration, settings, logout }
}

function afterLogout({ selfservice }: Config, publicBase: string) {
  const fallback = selfservice.flows.logout.after.default_browser_return_url ?? selfservice.default_browser_return_url
  return { allowed: selfservice.allowed_return_urls, publicBaseUrl: publicBase, fallback }
}

/** A URL below /self-service of the public address. */
function selfServiceUrl(base: string, path: string, query: Record<string, string>): string {
  return `${base.replace(/\/+$/, '')}/self-service/${path}?${encodeQuery(query)}`
}
