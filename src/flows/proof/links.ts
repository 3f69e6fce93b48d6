import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { isUuid } from '../../kernel/base/uuid.ts'
import type { Csrf } from '../../kernel/http/csrf.ts'
import { forbidden, HttpError } from '../../kernel/http/errors.ts'
import { isJsonRequest, isSpeculative } from '../../kernel/http/negotiate.ts'
import { submittedToken } from '../../kernel/http/public-hooks.ts'
import { queryValue } from '../../kernel/http/query.ts'
import { flowIdMissing } from '../errors.ts'
import type { FlowKind } from '../kinds.ts'
import type { Flow } from '../types.ts'
import type { FlowUrls } from '../urls.ts'

/** Links in messages are opened by people, and fetched by programs: mail gateways, previews, prefetching browsers. */

/** Mail gateways try HEAD first: it gets the redirect and changes nothing. */
export function headOfLink(d: { flowUrls: FlowUrls }, kind: FlowKind) {
  return async (req: FastifyRequest, reply: FastifyReply) => {
    const id = queryValue(req, 'flow')
    if (!isUuid(id)) throw flowIdMissing()
    return reply.redirect(d.flowUrls.page(kind, id), 303)
  }
}

/**
 * Not a redirect: browsers keep the result of a prefetched link, but drop an error and ask again at the click.
 * @throws 403 for a prefetched link
 */
export function refuseSpeculative(req: FastifyRequest): void {
  if (req.method === 'GET' && isSpeculative(req)) {
    throw forbidden('This link is not followed ahead of time. Open it to go on.')
  }
}

/** Answers with a page that asks whether to use the link; its form sends the same query, and an anti-CSRF token. */
export type LinkPage = (req: FastifyRequest, reply: FastifyReply, kind: 'recovery' | 'verification') => FastifyReply

export interface ConfirmationDeps {
  config(): Config
  csrf: Csrf
}

/**
 * Whether to ask before the token of a link is used: some mail gateways open links with GET, without a cookie. The browser that asked for the
 * message goes on at once. A script that sends the token as JSON has it from no link.
 * @param read the flow, for a reader who may see it
 * @throws 403 for a script that opens a link with GET
 */
export async function asksFirst(
  d: ConfirmationDeps,
  req: FastifyRequest,
  read: (id: string, checkReader: (csrfToken: string) => void) => Promise<Flow>,
): Promise<boolean> {
  if (!d.config().lethe.links.confirm || queryValue(req, 'token') === '') return false
  if (req.method !== 'GET') return !isJsonRequest(req) && !d.csrf.matches(req, submittedToken(req))
  if (isJsonRequest(req)) throw forbidden('A link asks a person before it is used. Send its token by POST.')
  try {
    const { type } = await read(queryValue(req, 'flow'), (token) => {
      if (!d.csrf.matches(req, token)) throw forbidden('')
    })
    return type !== 'browser'
  } catch (error) {
    // What is gone, or never was, uses nothing.
    if (error instanceof HttpError && error.status < 500) return error.status === 403
    throw error
  }
}
