import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { notFound } from '../../kernel/http/errors.ts'
import { splitUrl } from '../../kernel/http/not-found.ts'
import { readPosition } from '../log/list-query.ts'
import type { RevocationList, Revocations } from './revocations.ts'

export interface RevocationRouteDeps {
  revocations: Revocations
}

const JWS_TYPE = 'application/jose'
/** In every answer, also in a 304. */
const COMPLETE = 'lethe-complete-up-to'
const BEHIND = 'lethe-behind-ms'

/**
 * Which sessions have ended, for verifiers.
 * @param isOpen whether this port serves it; otherwise the answer is 404
 */
export function revocationRoutes({ revocations }: RevocationRouteDeps, isOpen: () => boolean): FastifyPluginAsync {
  return async (app) => {
    app.get('/sessions/revocations', { config: { csrf: 'exempt' } }, list)
  }

  async function list(req: FastifyRequest, reply: FastifyReply) {
    if (!isOpen()) throw notFound('The list of ended sessions is not served on this port.')
    const query = new URLSearchParams(splitUrl(req.url)[1])
    const after = readPosition(query, 'after')
    reply.headers({ 'cache-control': 'no-cache', vary: varyOf(reply) })
    if (wantsJws(req)) {
      const signed = await revocations.signed(after, query.get('template') ?? undefined)
      return reply.header('content-type', JWS_TYPE).send(signed)
    }
    const found = await revocations.list(after)
    const etag = etagOf(found, query.get('after') ?? '')
    reply.headers({ etag, [COMPLETE]: found.complete_up_to, [BEHIND]: found.behind_ms })
    const known = req.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
    return known?.includes(etag) ? reply.code(304).send() : found
  }
}

/** Changes when the list gains an entry. Entries that merely expire are no reason to send it again. */
function etagOf({ epoch, sessions, resumed, more }: RevocationList, after: string): string {
  const last = Math.max(0, sessions.at(-1)?.seq ?? 0, resumed.at(-1)?.seq ?? 0)
  return `"${after}-${epoch}-${last}${more ? '-more' : ''}"`
}

function wantsJws(req: FastifyRequest): boolean {
  return (req.headers.accept ?? '').split(',').some((type) => type.split(';')[0]!.trim().toLowerCase() === JWS_TYPE)
}

function varyOf(reply: FastifyReply): string {
  const vary = reply.getHeader('vary')
  return vary === undefined ? 'Accept' : `${vary}, Accept`
}
