import type { FastifyPluginAsync } from 'fastify'
import type { Config } from '../config/schema/schema.ts'
import { notFound } from '../kernel/http/errors.ts'
import { RELATED_ORIGINS_PATH, relatedOrigins } from './related-origins.ts'
import { SCRIPT, SCRIPT_PATH } from './script.ts'

export interface WebauthnRouteDeps {
  config(): Config
}

/** What browsers load because of keys, from any site. */
export const webauthnRoutes =
  (d: WebauthnRouteDeps): FastifyPluginAsync =>
  async (app) => {
    app.get(SCRIPT_PATH, (_req, reply) => reply.type('text/javascript; charset=UTF-8').send(SCRIPT))
    app.get(RELATED_ORIGINS_PATH, (req) => {
      const origins = relatedOrigins(d.config().selfservice.methods, req.hostname)
      if (origins.length === 0) throw notFound('No origins are configured for keys: see rp.origins.')
      return { origins }
    })
  }
