import type { FastifyPluginAsync } from 'fastify'
import { queryValue } from '../kernel/http/query.ts'
import type { ErrorContainers } from './service.ts'

/** Whoever has the id may read an error, and more than once: error pages are reloaded. */
export function errorRoutes(d: { errors: ErrorContainers }): FastifyPluginAsync {
  return async (app) => {
    // `error` is what the parameter was called before.
    app.get('/self-service/errors', (req) => d.errors.read(queryValue(req, 'error') || queryValue(req, 'id')))
  }
}
