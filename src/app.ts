import type { FastifyInstance } from 'fastify'
import { apiDocument } from './api.ts'
import type { Deps } from './compose/deps.ts'
import { courierAdminRoutes } from './courier/routes-admin.ts'
import { mailboxRoutes } from './courier/routes-mailbox.ts'
import { templatePreviewRoutes } from './courier/templates/routes-preview.ts'
import { errorRoutes } from './error-containers/routes.ts'
import { eventAdminRoutes } from './events/log/routes-admin.ts'
import { eventPageRoutes } from './events/page/routes.ts'
import { revocationRoutes } from './events/revocations/routes.ts'
import { ownEventRoutes } from './events/stream/routes-own.ts'
import { webhookRoutes } from './events/webhooks/routes.ts'
import { providerCallbackRoutes } from './flows/callback/routes.ts'
import { tokenExchangeRoutes } from './flows/exchange/routes.ts'
import { loginResponder, loginRoutes } from './flows/login/routes.ts'
import { recoveryRoutes } from './flows/recovery/routes.ts'
import { recoveryAdminRoutes } from './flows/recovery/routes-admin.ts'
import { registrationResponder, registrationRoutes } from './flows/registration/routes.ts'
import { settingsRoutes } from './flows/settings/routes.ts'
import { verificationRoutes } from './flows/verification/routes.ts'
import { verificationAdminRoutes } from './flows/verification/routes-admin.ts'
import { identityAdminRoutes } from './identities/admin/routes.ts'
import { schemaRoutes } from './identities/schema/routes.ts'
import { withoutTrailingSlashes } from './kernel/base/url.ts'
import { LETHE_VERSION } from './kernel/base/version.ts'
import { createErrorHandler } from './kernel/http/error-handler.ts'
import { installNotFound } from './kernel/http/not-found.ts'
import { openapiRoutes } from './kernel/http/openapi/routes.ts'
import { type CsrfPolicy, installPublicHooks, NO_STORE } from './kernel/http/public-hooks.ts'
import { redirectRoutes } from './kernel/http/redirects.ts'
import { installRequestLog } from './kernel/http/request-log.ts'
import { createServer, type TlsPair } from './kernel/http/server.ts'
import { refuseWebPages } from './kernel/http/web-pages.ts'
import { logoutRoutes } from './logout/routes.ts'
import { configHashRoutes, healthRoutes, NOT_READY, versionRoutes } from './ops/health.ts'
import { installMetrics, metricsRoutes } from './ops/metrics-http.ts'
import { sessionAdminRoutes } from './sessions/lists/routes-admin.ts'
import { ownSessionRoutes } from './sessions/lists/routes-own.ts'
import { whoamiRoutes } from './sessions/routes-whoami.ts'
import { uiRoutes } from './ui/routes.ts'
import { logoutPageRoutes } from './ui/routes-logout-page.ts'
import { errorDocuments } from './ui/views/error-page.ts'
import { webauthnRoutes } from './webauthn/routes.ts'

export interface AppOptions {
  version: string
  isReady(): Promise<boolean>
  requestId(): string
  /** changes with the configuration in force */
  configHash(): string
  /** of the ports that speak TLS */
  tls?: { readonly public?: TlsPair; readonly admin?: TlsPair }
}

/** The public port: what browsers and apps reach. */
export function createPublicApp(d: Deps, options: AppOptions): FastifyInstance {
  const app = baseApp(d, options, 'public')
  installPublicHooks(app, { ...d, csrfOfUnknown })
  app.register(healthRoutes({ ...options, notReadyMessage: NOT_READY.public }))
  app.register(whoamiRoutes(d))
  app.register(ownSessionRoutes(d))
  app.register(ownEventRoutes(d))
  app.register(revocationRoutes(d, d.revocations.isPublic))
  app.register(logoutRoutes(d))
  app.register(loginRoutes(d, registrationResponder(d)))
  app.register(registrationRoutes(d, loginResponder(d)))
  app.register(settingsRoutes(d))
  app.register(providerCallbackRoutes(d))
  app.register(tokenExchangeRoutes(d))
  app.register(recoveryRoutes(d))
  app.register(verificationRoutes(d))
  app.register(errorRoutes(d))
  app.register(logoutPageRoutes(d))
  app.register(uiRoutes(d))
  app.register(schemaRoutes(d))
  app.register(webauthnRoutes(d))
  app.register(redirectRoutes(ADMIN_PATHS, (url) => onAdminPort(d, url)))
  app.register(redirectRoutes(OPERATIONS, (url) => onAdminPort(d, url), { csrf: 'exempt' }))
  return app
}

/** The admin port: what operators and backends reach. Paths stand with and without the prefix /admin. */
export function createAdminApp(d: Deps, options: AppOptions): FastifyInstance {
  const app = baseApp(d, options, 'admin')
  const publicUrl = (url: string) => `${withoutTrailingSlashes(d.baseUrls.public())}${url}`
  const adminUrl = (url: string) => `${withoutTrailingSlashes(d.baseUrls.admin())}/admin${url}`
  app.addHook('onRequest', (_req, reply, done) => {
    reply.header('cache-control', NO_STORE)
    done()
  })
  refuseWebPages(app, d)
  app.register(healthRoutes({ ...options, notReadyMessage: NOT_READY.admin, warnings: d.watch?.watchProblems }))
  app.register(versionRoutes(options))
  app.register(configHashRoutes(options))
  app.register(metricsRoutes(d.metrics))
  app.register(identityAdminRoutes(d))
  app.register(sessionAdminRoutes({ ...d, publicUrl }))
  app.register(courierAdminRoutes(d))
  app.register(templatePreviewRoutes(d))
  app.register(recoveryAdminRoutes({ ...d, adminUrl }))
  app.register(verificationAdminRoutes({ ...d, adminUrl }))
  app.register(mailboxRoutes(d))
  app.register(eventAdminRoutes(d))
  app.register(webhookRoutes(d))
  app.register(eventPageRoutes(d))
  app.register(revocationRoutes(d, () => true))
  app.register(redirectRoutes(PUBLIC_PATHS, publicUrl))
  return app
}

const HEALTH_CHECKS = ['/health/alive', '/health/ready']
const PUBLIC_PATHS = ['/sessions/whoami', '/schemas', '/schemas/*', '/self-service/*']
const alsoBelowAdmin = (paths: string[]) => paths.flatMap((path) => [path, `/admin${path}`])
const ADMIN_PATHS = alsoBelowAdmin(['/identities/*', '/courier/messages/*'])
/** Admin operations requested at the public port by mistake: backends send them, browsers do not. */
const OPERATIONS = alsoBelowAdmin([
  '/identities',
  '/identities/:id',
  '/identities/:id/sessions',
  '/identities/:id/credentials/:type',
  '/courier/messages',
])

/** A POST to an unknown path is refused for its CSRF token first, as recorded, except for the paths that Kratos exempts. */
function csrfOfUnknown(path: string): CsrfPolicy | undefined {
  if (['/version', '/metrics/prometheus'].includes(path)) return 'off'
  return /^(\/sessions\/|\/schemas\/|\/self-service\/(recovery|verification)(\/api)?$)/.test(path)
    ? 'exempt'
    : undefined
}

/** The public port names the admin address only where the operator has configured it. */
function onAdminPort(d: Deps, url: string): string | undefined {
  const base = d.config().serve.admin.base_url
  return base === undefined ? undefined : `${withoutTrailingSlashes(base)}/admin${url.replace(/^\/admin\//, '/')}`
}

const withoutPrefix = (url: string) => (url.startsWith('/admin/') ? url.slice('/admin'.length) : url)

const UNNAMED_PROXY =
  'a proxy hands requests on and is not named: its clients cannot be told apart, so that failed logins are not limited by ' +
  'address and devices show the address of the proxy; name it in lethe.http.trusted_proxies'

function baseApp(d: Deps, options: AppOptions, port: 'public' | 'admin'): FastifyInstance {
  const { http } = d.config().lethe
  const tls = options.tls?.[port]
  const app = createServer({
    log: d.log,
    requestId: options.requestId,
    requestTimeoutMs: http.request_timeout,
    responseTimeoutMs: http.response_timeout * (port === 'admin' ? 6 : 1),
    headerLimitBytes: http.header_limit,
    bodyLimitBytes: http.body_limit,
    bodyLimits: {
      bytes: port === 'admin' ? http.body_limit : Math.min(http.body_limit, http.form_limit),
      json: { values: http.json_values * (port === 'admin' ? 10 : 1), depth: http.json_depth },
      fields: http.form_fields,
    },
    trustedProxies: http.trusted_proxies,
    ...(port === 'public' ? { onUnnamedProxy: (peer: string) => d.log.warn({ peer }, UNNAMED_PROXY) } : {}),
    // Operators are served while clients are shed.
    maxEventLoopDelayMs: port === 'public' ? http.max_event_loop_delay : 0,
    ...(port === 'admin' ? { rewriteUrl: withoutPrefix } : {}),
    ...(tls === undefined ? {} : { tls }),
  })
  installNotFound(app)
  const quietHealth = d.config().serve[port].request_log.disable_for_health
  installRequestLog(app, (route) => quietHealth && HEALTH_CHECKS.includes(route))
  installMetrics(app, d.metrics.http, port === 'admin' ? '/admin' : '')
  app.register(openapiRoutes(apiDocument(LETHE_VERSION)))
  app.setErrorHandler(
    createErrorHandler({
      config: d.config,
      errorPage: errorDocuments(d),
      storeError: (error, csrfToken) => d.errors.create(error, csrfToken),
      csrfToken: (req) => (req.csrfSecret === undefined ? '' : d.csrf.token(req)),
    }),
  )
  return app
}
