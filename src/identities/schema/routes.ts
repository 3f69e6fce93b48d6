import type { FastifyPluginAsync } from 'fastify'
import { notFound } from '../../kernel/http/errors.ts'
import { offsetLinks, parseOffsetPage } from '../../kernel/http/lists/pagination.ts'
import { splitUrl } from '../../kernel/http/not-found.ts'
import type { Schemas } from './schemas.ts'

/** The schemas as clients see them: the documents, never their addresses. @see Kratos listIdentitySchemas */
export function schemaRoutes(d: { schemas(): Schemas }): FastifyPluginAsync {
  return async (app) => {
    app.get('/schemas', async (req, reply) => {
      const [path, query] = splitUrl(req.url)
      const params = new URLSearchParams(query)
      const page = parseOffsetPage(params)
      const { list } = d.schemas()
      const start = page.page * page.size
      reply.headers({
        'x-total-count': String(list.length),
        link: offsetLinks(path, params, { ...page, offset: start }, list.length),
      })
      return list.slice(start, start + page.size).map(({ id, document }) => ({ id, schema: document }))
    })

    app.get<{ Params: { id: string } }>('/schemas/:id', { config: { csrf: 'exempt' } }, async (req) => {
      const schema = d.schemas().get(req.params.id)
      if (!schema) throw notFound(`Identity schema \`${req.params.id}\` could not be found.`)
      return schema.document
    })
  }
}
