import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { goBoolean } from '../../kernel/base/go-boolean.ts'
import { badRequest, HttpError } from '../../kernel/http/errors.ts'
import { keysetLinks, parseKeysetPage } from '../../kernel/http/lists/keyset.ts'
import { offsetLinks, parseOffsetPage } from '../../kernel/http/lists/pagination.ts'
import { splitUrl } from '../../kernel/http/not-found.ts'
import { pathUuid } from '../../kernel/http/path.ts'
import type { ActiveFilter } from '../types.ts'
import type { Expand, SessionManagement } from './admin-sessions.ts'

export interface SessionAdminRouteDeps {
  config(): Config
  sessionManagement: SessionManagement
  /** the same path on the public port */
  publicUrl(path: string): string
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** Sessions of all identities. The prefix /admin is taken off before routing. @see Kratos listSessions, extendSession */
export function sessionAdminRoutes(d: SessionAdminRouteDeps): FastifyPluginAsync {
  const manage = d.sessionManagement

  return async (app) => {
    app.get('/sessions', list)
    app.get('/sessions/:id', get)
    app.delete('/sessions/:id', revoke)
    app.patch('/sessions/:id/extend', extend)
    app.get('/identities/:id/sessions', listOfIdentity)
    app.delete('/identities/:id/sessions', removeAllOfIdentity)
    // The public port revokes the caller's own other sessions.
    app.delete('/sessions', (req, reply) => reply.redirect(d.publicUrl(req.url), 307))
  }

  async function list(req: FastifyRequest, reply: FastifyReply) {
    const { path, query } = target(req)
    const filter = activeFilter(query)
    const page = parseKeysetPage(query)
    const { sessions, next } = await manage.list(filter, page, expandOf(query))
    reply.header('link', keysetLinks(path, query, page.size, next))
    return sessions
  }

  async function get(req: FastifyRequest) {
    return manage.get(pathUuid(req, 'id'), expandOf(target(req).query))
  }

  async function revoke(req: FastifyRequest, reply: FastifyReply) {
    await manage.revoke(pathUuid(req, 'id'))
    return reply.code(204).header('content-type', JSON_TYPE).send()
  }

  async function extend(req: FastifyRequest, reply: FastifyReply) {
    const id = pathUuid(req, 'id')
    await manage.extend(id)
    if (d.config().feature_flags.faster_session_extend) return reply.code(204).send()
    return manage.get(id, { identity: true, devices: false })
  }

  async function listOfIdentity(req: FastifyRequest, reply: FastifyReply) {
    const { path, query } = target(req)
    const id = pathUuid(req, 'id')
    const filter = activeFilter(query)
    const page = parseOffsetPage(query)
    const { total, size, sessions } = await manage.listOf(id, filter, page)
    reply.headers({ 'x-total-count': String(total), link: offsetLinks(path, query, { ...page, size }, total) })
    return sessions
  }

  async function removeAllOfIdentity(req: FastifyRequest, reply: FastifyReply) {
    await manage.removeAllOf(pathUuid(req, 'id'))
    return reply.code(204).send()
  }
}

/** The path for links: always with the prefix, however it was requested. */
function target(req: FastifyRequest): { path: string; query: URLSearchParams } {
  const [path, query] = splitUrl(req.url)
  return { path: `/admin${path}`, query: new URLSearchParams(query) }
}

function activeFilter(query: URLSearchParams): ActiveFilter {
  const text = query.get('active') ?? ''
  if (text === '') return 'any'
  const active = goBoolean(text)
  if (active === undefined) throw new HttpError(400, 'could not parse parameter active')
  return active ? 'active' : 'inactive'
}

function expandOf(query: URLSearchParams): Expand {
  const expand: Expand = { identity: false, devices: false }
  for (const name of query.getAll('expand')) {
    const member = name.toLowerCase()
    if (member !== 'identity' && member !== 'devices') throw badRequest(`Could not parse expand option: ${name}`)
    expand[member] = true
  }
  return expand
}
