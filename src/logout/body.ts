import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { formBody, jsonBody } from '../kernel/http/body.ts'
import { badRequest } from '../kernel/http/errors.ts'
import { isUuid } from '../kernel/http/query.ts'

/** Sessions that one request may name; an identity with more is signed out by scope. */
const MAX_SESSION_IDS = 100

/** In the one form that ids are compared in. */
const uuid = z
  .string()
  .refine(isUuid, 'must be the id of a session')
  .transform((id) => id.toLowerCase())

const logoutBody = z.object({
  scope: z.enum(['current', 'others', 'all']).default('current'),
  session_ids: z.array(uuid).min(1).max(MAX_SESSION_IDS).optional(),
  return_to: z.string().default(''),
  csrf_token: z.string().default(''),
})

export type LogoutBody = z.output<typeof logoutBody>

/** The body of `POST /self-service/logout`; an empty one means the current session. @throws 400 */
export async function readLogoutBody(req: FastifyRequest): Promise<LogoutBody> {
  const body = Buffer.isBuffer(req.body) && req.body.length > 0 ? await formBody(req) : { kind: 'json', value: {} }
  const parsed = logoutBody.safeParse(
    body.kind === 'form' ? fromForm(body.value as Record<string, string[]>) : body.value,
  )
  if (!parsed.success)
    throw badRequest(parsed.error.issues.map((i) => `${i.path.join('.') || 'body'}: ${i.message}`).join('; '))
  return parsed.data
}

/** Forms send everything as text, and one field for each id. */
function fromForm(form: Record<string, string[]>): Record<string, unknown> {
  const { scope, session_ids, return_to, csrf_token } = form
  return {
    ...(scope?.[0] ? { scope: scope[0] } : {}),
    ...(session_ids ? { session_ids } : {}),
    ...(return_to ? { return_to: return_to[0] } : {}),
    ...(csrf_token ? { csrf_token: csrf_token[0] } : {}),
  }
}

const nativeLogoutBody = z.object({ session_token: z.string().nullish() })

/** The session token that `DELETE /self-service/logout/api` is to end; empty when none is given. @throws 400 */
export function readNativeLogoutToken(req: FastifyRequest): string {
  const body = nativeLogoutBody.safeParse(jsonBody(req))
  if (!body.success) throw badRequest('Unable to decode JSON payload: "session_token" must be a string.')
  return body.data.session_token ?? ''
}
