import type { FastifyContextConfig, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * Redirects paths that live on the other port to it, with their query.
 * @param target full URL on the other port for a path with its query; undefined where that port must not be revealed
 */
export function redirectRoutes(
  paths: readonly string[],
  target: (url: string) => string | undefined,
  config: FastifyContextConfig = {},
): FastifyPluginAsync {
  return async (app) => {
    for (const url of paths) app.route({ method: METHODS, url, config, handler: redirect })
  }

  function redirect(req: FastifyRequest, reply: FastifyReply) {
    const to = target(req.url)
    return to === undefined ? reply.callNotFound() : reply.redirect(to, 307)
  }
}
