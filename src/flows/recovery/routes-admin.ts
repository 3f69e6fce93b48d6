import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { isObject } from '../../identities/types.ts'
import { goDuration } from '../../kernel/base/go-duration.ts'
import { isUuid } from '../../kernel/base/uuid.ts'
import { jsonBody } from '../../kernel/http/body.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import type { FlowType } from '../types.ts'
import type { HandOut, HandOutRequest } from './hand-out.ts'

export interface RecoveryAdminRouteDeps {
  handOutRecovery: HandOut
  /** the same path, as operators know it */
  adminUrl(path: string): string
}

/** @see Kratos createRecoveryCodeForIdentity, createRecoveryLinkForIdentity */
export function recoveryAdminRoutes(d: RecoveryAdminRouteDeps): FastifyPluginAsync {
  return async (app) => {
    app.post('/recovery/code', code)
    app.post('/recovery/link', link)
  }

  async function code(req: FastifyRequest, reply: FastifyReply) {
    const { link, code, expiresAt } = await d.handOutRecovery({ ...requestOf(req), method: 'code' })
    return reply.code(201).send({ recovery_link: link, recovery_code: code, expires_at: expiresAt })
  }

  async function link(req: FastifyRequest) {
    const { link, expiresAt } = await d.handOutRecovery({ ...requestOf(req), method: 'link' })
    return { recovery_link: link, expires_at: expiresAt }
  }

  function requestOf(req: FastifyRequest): Omit<HandOutRequest, 'method'> {
    const body = membersOf(jsonBody(req))
    return {
      requestUrl: d.adminUrl(req.url),
      identityId: identityOf(body.identity_id),
      expiresInMs: expiresIn(body.expires_in),
      type: flowType(body.flow_type),
    }
  }
}

function membersOf(body: unknown): Record<string, unknown> {
  if (isObject(body)) return body
  throw badRequest('Unable to decode JSON payload: the body must be an object.')
}

function identityOf(id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined
  if (typeof id === 'string' && isUuid(id)) return id.toLowerCase()
  throw badRequest('Unable to decode JSON payload: identity_id is not a UUID.')
}

function expiresIn(text: unknown): number | undefined {
  if (text === undefined || text === null || text === '') return undefined
  const ms = typeof text === 'string' ? goDuration(text) : undefined
  if (ms === undefined) {
    throw badRequest(
      `Unable to parse "expires_in" whose format should match "[0-9]+(ns|us|ms|s|m|h)" but did not: ${String(text).slice(0, 100)}`,
    )
  }
  if (ms.ms <= 0) throw badRequest(`Value from "expires_in" must result to a future time: ${ms.text}`)
  return ms.ms
}

function flowType(type: unknown): FlowType {
  if (type === undefined || type === null || type === '') return 'browser'
  if (type === 'browser' || type === 'api') return type
  throw badRequest(`Value from "flow_type" is not valid: ${JSON.stringify(type)}`)
}
