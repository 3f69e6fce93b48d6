import type { FastifyInstance } from 'fastify'

/**
 * One line for each request, by route and never by URL: queries carry tokens.
 * @param skip whether requests of a route are not logged
 */
export function installRequestLog(app: FastifyInstance, skip: (route: string) => boolean): void {
  app.addHook('onResponse', (req, reply, done) => {
    done()
    const route = req.routeOptions.url ?? 'unknown'
    if (skip(route)) return
    req.log.info(
      {
        http_request: { method: req.method, route, remote: req.client.address },
        http_response: { status: reply.statusCode, took_ms: Math.round(reply.elapsedTime * 1000) / 1000 },
      },
      'completed handling request',
    )
  })
}
