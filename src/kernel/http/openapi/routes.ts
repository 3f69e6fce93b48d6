import { createHash } from 'node:crypto'
import type { FastifyPluginAsync } from 'fastify'

/** Changes with the version alone; a client that has it asks again with `If-None-Match`. */
const KEEP = 'public, max-age=300'

/** Serves the description of all operations. It tells nothing of this installation. */
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
