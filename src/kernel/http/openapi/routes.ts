import { createHash } from 'node:crypto'
import type { FastifyPluginAsync } from 'fastify'

/** Changes only with the version; a client asks again with `If-None-Match`. */
const KEEP = 'public, max-age=300'

/** Serves the description of all operations. It reveals nothing about this installation. */
export function openapiRoutes(document: unknown): FastifyPluginAsync {
  const body = JSON.stringify(document)
  const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
  return async (app) => {
    app.get('/openapi.json', { config: { csrf: 'off' } }, async (req, reply) => {
      reply.headers({ 'cache-control': KEEP, etag: tag })
      const known = String(req.headers['if-none-match'] ?? '').split(',')
      if (known.some((given) => given.trim().replace(/^W\//, '') === tag)) return reply.code(304).send()
      return reply.header('content-type', 'application/json; charset=utf-8').send(body)
    })
  }
}
