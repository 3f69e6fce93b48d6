import type { FastifyPluginAsync } from 'fastify'
import { queryValue } from '../kernel/http/query.ts'
import type { ErrorContainers } from './service.ts'

/** Anyone who knows the id may read an error, and may read it again: error pages are reloaded. */
export function errorRoutes(d: { errors: ErrorContainers }): FastifyPluginAsync {
  return async (app) => {
    // `error` is the older name of the parameter.
    app.get('/self-service/errors', (req) => d.errors.read(queryValue(req, 'error') || queryValue(req, 'id')))
  }
}
