import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { badRequest, HttpError } from '../../kernel/http/errors.ts'
import { link, offsetLinks } from '../../kernel/http/lists/pagination.ts'
import { splitUrl } from '../../kernel/http/not-found.ts'
import type { IdentityAnswers } from '../answers.ts'
import type { IdentityService } from '../service.ts'
import { FIRST, readInclude, readListQuery } from './list-query.ts'
import { identityWriteRoutes } from './routes-write.ts'

export interface IdentityAdminRouteDeps {
  identities: IdentityService
  identityAnswers: IdentityAnswers
  baseUrls: { admin(): string }
}

/**
 * Identities, for operators. The prefix /admin is taken off before routing.
 * @see Kratos listIdentities, getIdentity, getIdentityByExternalID
 */
export function identityAdminRoutes(d: IdentityAdminRouteDeps): FastifyPluginAsync {
  const { identities, identityAnswers } = d

  return async (app) => {
    app.get('/identities', list)
    app.get<{ Params: { id: string } }>('/identities/:id', async (req) => {
      const identity = await identities.get(req.params.id)
      return identityAnswers.toAdmin(identity, readInclude(target(req).query))
    })
    app.get<{ Params: { externalId: string } }>('/identities/by/external/:externalId', async (req) => {
      const identity = await identities.getByExternalId(storable(req.params.externalId))
      return identityAnswers.toAdmin(identity, readInclude(target(req).query))
    })
    await app.register(identityWriteRoutes(d))
  }

  async function list(req: FastifyRequest, reply: FastifyReply) {
    const { path, query } = target(req)
    const { filter, paging, credentials, include } = readListQuery(query)
    if (paging.kind === 'token') {
      const { after, size } = paging
      const found = await identities.list(filter, { after, size: size + 1, skip: 0, credentials })
      const page = found.identities.slice(0, size)
      const more = found.cut || found.identities.length > size
      reply.header('link', tokenLinks(path, query, size, more ? page.at(-1)?.id : undefined))
      return page.map((identity) => identityAnswers.toAdmin(identity, include))
    }
    const { page, size } = paging
    const { identities: rows, cut } = await identities.list(filter, {
      after: FIRST,
      size,
      skip: page * size,
      credentials,
    })
    if (cut) throw pageTooLarge()
    const total = filter.kind === 'identifier' ? rows.length : await identities.count()
    reply.headers({ 'x-total-count': String(total), link: numberLinks(path, query, page, size, total) })
    return rows.map((identity) => identityAnswers.toAdmin(identity, include))
  }
}

/** The path for links: always with the prefix, however it was requested. */
function target(req: FastifyRequest): { path: string; query: URLSearchParams } {
  const [path, query] = splitUrl(req.url)
  return { path: `/admin${path}`, query: new URLSearchParams(query) }
}

/** A numbered page cannot continue with rows that did not fit: the next number begins behind them. */
const pageTooLarge = () =>
  badRequest('The identities of this page are too large together. Use page_token and page_size, or a smaller per_page.')

/** No row has a text that cannot be stored: that is "not found", not an error of the database. */
function storable(text: string): string {
  if (text.includes('\0') || !text.isWellFormed()) throw new HttpError(404, 'Unable to locate the resource')
  return text
}

/** The `Link` header of a page by token. @param last id of the last row; undefined on the last page */
function tokenLinks(path: string, query: URLSearchParams, size: number, last: string | undefined): string {
  const all = new URLSearchParams(query)
  if (!all.has('page_size')) all.delete('per_page')
  const to = (rel: string, token: string) => link(rel, path, all, { page_size: String(size), page_token: token })
  return last === undefined ? to('first', FIRST) : `${to('first', FIRST)},${to('next', last)}`
}

/** The `Link` header of a numbered page: as for other lists, without the members of the newer paging. */
function numberLinks(path: string, query: URLSearchParams, page: number, size: number, total: number): string {
  return offsetLinks(path, query, { page, size, offset: page * size }, total).replace(
    /page_size=\d+&page_token=[\w-]+&/g,
    '',
  )
}
