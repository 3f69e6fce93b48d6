import type { FastifyReply, FastifyRequest } from 'fastify'
import { isUuid } from '../../kernel/base/uuid.ts'
import { forbidden } from '../../kernel/http/errors.ts'
import { isSpeculative } from '../../kernel/http/negotiate.ts'
import { queryValue } from '../../kernel/http/query.ts'
import { flowIdMissing } from '../errors.ts'
import type { FlowKind } from '../kinds.ts'
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
