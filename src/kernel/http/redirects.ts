import type { FastifyContextConfig, FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

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

/**
 * Percent-encodes what cannot stand in a header, in every `Location`: configured addresses may hold any letter. Node refuses most
 * of these, after the work of the request is done, so that a logout ended the session and failed; the others it sends in
 * Latin-1, which browsers do not expect.
 */
export function installLocations(app: FastifyInstance): void {
  app.addHook('onSend', (_req, reply, payload, done) => {
    const to = reply.getHeader('location')
    if (typeof to === 'string' && !/^[\x21-\x7e]*$/.test(to)) reply.header('location', asciiLocation(to))
    done(null, payload)
  })
}

/** The bytes of UTF-8 as escapes, as Go's `http.Redirect` sends them. What is printable ASCII stays. */
export const asciiLocation = (address: string): string =>
  Buffer.from(address, 'utf8')
    .toString('latin1')
    .replace(/[^\x21-\x7e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
