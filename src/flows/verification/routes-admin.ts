import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { isObject } from '../../identities/types.ts'
import { jsonBody, rawBody } from '../../kernel/http/body.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import type { SendVerificationAgain } from './send-again.ts'

export interface VerificationAdminRouteDeps {
  sendVerificationAgain: SendVerificationAgain
  /** the same path, as operators know it */
  adminUrl(path: string): string
}

/** The prefix /admin is taken off before routing. Kratos has no such call. */
export function verificationAdminRoutes(d: VerificationAdminRouteDeps): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Params: { id: string } }>('/identities/:id/verification', async (req, reply) => {
      const { messageId, flowId, expiresAt, address } = await d.sendVerificationAgain({
        identityId: req.params.id.toLowerCase(),
        address: addressOf(req),
        requestUrl: d.adminUrl(req.url),
      })
      reply.code(201)
      return { message_id: messageId, flow_id: flowId, expires_at: expiresAt, via: address.via, address: address.value }
    })
  }
}

function addressOf(req: FastifyRequest): string | undefined {
  const body = rawBody(req).length === 0 ? {} : jsonBody(req)
  if (!isObject(body)) throw badRequest('The body is not an object.')
  const { address } = body
  if (address === undefined || typeof address === 'string') return address
  throw badRequest('The member "address" is not a text.')
}
