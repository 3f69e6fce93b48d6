import type { FastifyInstance } from 'fastify'

/**
 * One line for each request, by route and never by URL: queries carry tokens.
 * @param skip whether requests of a route are not logged
 */
export function installRequestLog(app: FastifyInstance, skip: (route: string) => boolean): void {
  app.whenDone((req, reply, { status, complete }) => {
    const route = req.routeOptions.url ?? 'unknown'
    if (skip(route)) return
    req.log.info(
      {
        http_request: { method: req.method, route, remote: req.client.address },
        http_response: { status, took_ms: Math.round(reply.elapsedTime * 1000) / 1000 },
      },
      complete ? 'completed handling request' : 'the connection closed before the answer was complete',
    )
  })
}
