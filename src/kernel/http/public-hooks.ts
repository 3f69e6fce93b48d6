import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { FORM_TYPE, formFields } from './body.ts'
import { applyCors } from './cors.ts'
import type { Csrf } from './csrf.ts'
import { mediaType } from './negotiate.ts'
import { splitUrl } from './not-found.ts'

/**
 * How the anti-CSRF middleware treats a route; by default it is guarded: the answer sets a cookie, and a
 * method that may change something needs its token.
 * - `off`: not at all, the answer does not depend on cookies
 * - `exempt`: the route checks for itself, or needs no check; no cookie is set
 * - `own`: a cookie is set; the route decides whether a token is needed, since it also takes credentials that need none
 */
export type CsrfPolicy = 'off' | 'exempt' | 'own'

declare module 'fastify' {
  interface FastifyContextConfig {
    csrf?: CsrfPolicy
    /** the contract has no cache headers for methods other than GET: this route keeps it so */
    cacheHeaders?: 'get-only'
  }
}

export const NO_STORE = 'private, no-cache, no-store, must-revalidate'

const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

export interface PublicHookDeps {
  config(): Config
  csrf: Csrf
  /** the policy for paths without a route */
  csrfOfUnknown(path: string): CsrfPolicy | undefined
}

/** The order every public request goes through: CORS, caching, anti-CSRF cookie, anti-CSRF check. */
export function installPublicHooks(app: FastifyInstance, d: PublicHookDeps): void {
  /** For a method that the path does not have, the policy of those that it has; where they differ, the strictest. */
  function policyOf(req: FastifyRequest): CsrfPolicy | undefined {
    if (!req.is404) return req.routeOptions.config.csrf
    const [path] = splitUrl(req.url)
    const policies = app.routesAt(path).map(({ config }) => config.csrf)
    if (policies.length === 0) return d.csrfOfUnknown(path)
    return policies.every((policy) => policy === policies[0]) ? policies[0] : undefined
  }

  app.decorateRequest('csrfSecret', undefined)
  app.addHook('onRequest', (req, reply, done) => {
    if (applyCors(d.config().serve.public.cors, req, reply)) return
    const silent = req.method !== 'GET' && req.routeOptions.config.cacheHeaders === 'get-only'
    if (!silent) reply.header('cache-control', NO_STORE)
    const policy = policyOf(req)
    if (policy !== 'off') {
      const vary = reply.getHeader('vary')
      reply.header('vary', vary === undefined ? 'Cookie' : `${vary}, Cookie`)
      if (policy !== 'exempt') d.csrf.ensure(req, reply)
    }
    done()
  })
  app.addHook('preHandler', (req, _reply, done) => {
    const guarded = UNSAFE.has(req.method) && policyOf(req) === undefined
    if (guarded) d.csrf.check(req, submittedToken(req), { maskedOnly: true })
    done()
  })
}

/** The header first, then the form field; a JSON body is not parsed here. */
export function submittedToken(req: FastifyRequest): string {
  const header = req.headers['x-csrf-token']
  if (typeof header === 'string' && header !== '') return header
  if (mediaType(req) !== FORM_TYPE) return ''
  return formFields(req).get('csrf_token') ?? ''
}
