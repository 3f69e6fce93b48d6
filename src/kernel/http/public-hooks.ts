import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { FORM_TYPE, formFields } from './body.ts'
import { applyCors } from './cors.ts'
import type { Csrf } from './csrf.ts'
import { mediaType } from './negotiate.ts'
import { splitUrl } from './not-found.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `own`: the route itself decides whether a token is needed, since it also takes credentials that need none */
    csrf?: 'own'
  }
}

export const NO_STORE = 'private, no-cache, no-store, must-revalidate'

/**
 * What the anti-CSRF middleware does with a path:
 * - `off`: nothing, the answer does not depend on cookies
 * - `exempt`: the route checks for itself, or needs no check; no cookie is given out
 * - `guarded`: a cookie is given out, and a method that may change something needs its token
 */
export function csrfPolicy(path: string): 'off' | 'exempt' | 'guarded' {
  if (OFF.has(path)) return 'off'
  const exempt = EXEMPT.has(path) || EXEMPT_BELOW.some((prefix) => path.startsWith(prefix)) || OPERATORS.test(path)
  return exempt ? 'exempt' : 'guarded'
}

const OFF = new Set([
  '/health/alive',
  '/health/ready',
  '/version',
  '/metrics/prometheus',
  '/openapi.json',
  '/ui/style.css',
])
/** Calls of operators that only lost their way: they are sent to the admin port. */
const OPERATORS = /^(\/admin)?\/(identities(\/[^/]+(\/sessions|\/credentials\/[^/]+)?)?|courier\/messages)$/
const EXEMPT_BELOW = ['/sessions/', '/schemas/']
const EXEMPT = new Set([
  '/sessions',
  '/self-service/logout/api',
  ...['login', 'registration', 'settings', 'recovery', 'verification'].flatMap((flow) => [
    `/self-service/${flow}`,
    `/self-service/${flow}/api`,
  ]),
])

/** Kratos says nothing of caches to its other methods, as recorded; no cache keeps their answers unless it is told to. */
const WHOAMI = '/sessions/whoami'

const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** The order every public request goes through: CORS, caching, anti-CSRF cookie, anti-CSRF check. */
export function installPublicHooks(app: FastifyInstance, d: { config(): Config; csrf: Csrf }): void {
  app.decorateRequest('csrfSecret', undefined)
  app.addHook('onRequest', (req, reply, done) => {
    if (applyCors(d.config().serve.public.cors, req, reply)) return
    const [path] = splitUrl(req.url)
    if (req.method === 'GET' || path !== WHOAMI) reply.header('cache-control', NO_STORE)
    const policy = csrfPolicy(path)
    if (policy !== 'off') {
      const vary = reply.getHeader('vary')
      reply.header('vary', vary === undefined ? 'Cookie' : `${vary}, Cookie`)
      if (policy === 'guarded') d.csrf.ensure(req, reply)
    }
    done()
  })
  app.addHook('preHandler', (req, _reply, done) => {
    if (needsToken(req)) d.csrf.check(req, submittedToken(req), { maskedOnly: true })
    done()
  })
}

function needsToken(req: FastifyRequest): boolean {
  if (!UNSAFE.has(req.method) || req.routeOptions.config.csrf === 'own') return false
  return csrfPolicy(splitUrl(req.url)[0]) === 'guarded'
}

/** The header first, then the form field; a JSON body is not looked into here. */
export function submittedToken(req: FastifyRequest): string {
  const header = req.headers['x-csrf-token']
  if (typeof header === 'string' && header !== '') return header
  if (mediaType(req) !== FORM_TYPE) return ''
  return formFields(req).get('csrf_token') ?? ''
}
