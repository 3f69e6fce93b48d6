import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { shortened } from '../kernel/base/text.ts'
import { isUuid } from '../kernel/base/uuid.ts'
import { formBody, jsonBody } from '../kernel/http/body.ts'
import { badRequest } from '../kernel/http/errors.ts'

/** Sessions that one request may name. A caller with more of them names a scope. */
const MAX_SESSION_IDS = 100
/** Characters of an error message: it repeats member names that the client chose. */
const MAX_REASON = 500

/** Lower-cased, since ids are compared as text. */
const uuid = z
  .string()
  .refine(isUuid, 'must be the id of a session')
  .transform((id) => id.toLowerCase())
  .meta({ format: 'uuid' })

/** Strict: a misspelt member may have been meant to name sessions, and ending the current one instead would be a guess. */
export const logoutBody = z
  .strictObject({
    scope: z.enum(['current', 'others', 'all']).meta({ default: 'current' }).optional(),
    session_ids: z.array(uuid).min(1).max(MAX_SESSION_IDS).optional(),
    return_to: z.string().default(''),
    csrf_token: z.string().default(''),
  })
  .refine(
    ({ scope, session_ids }) => scope === undefined || session_ids === undefined,
    'Name either a scope or session_ids, not both.',
  )
  .transform(({ scope = 'current', ...rest }) => ({ scope, ...rest }))

export type LogoutBody = z.output<typeof logoutBody>

/** The body of `POST /self-service/logout`; an empty one means the current session. @throws 400 */
export async function readLogoutBody(req: FastifyRequest): Promise<LogoutBody> {
  const body = Buffer.isBuffer(req.body) && req.body.length > 0 ? await formBody(req) : { kind: 'json', value: {} }
  const parsed = logoutBody.safeParse(
    body.kind === 'form' ? fromForm(body.value as Record<string, string[]>) : body.value,
  )
  if (!parsed.success)
    throw badRequest(
      shortened(parsed.error.issues.map((i) => `${i.path.join('.') || 'body'}: ${i.message}`).join('; '), MAX_REASON),
    )
  return parsed.data
}

/** Form values are all text, and a list is a repeated field. An empty field counts as absent. */
function fromForm(form: Record<string, string[]>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(form).flatMap(([name, values]): [string, unknown][] => {
      if (name === 'session_ids') return [[name, values]]
      return values[0] === '' ? [] : [[name, values.length === 1 ? values[0] : values]]
    }),
  )
}

/** `null` counts as an object without members, as in Go. */
const nativeLogoutBody = z
  .object({ session_token: z.string().nullish() })
  .nullable()
  .transform((body) => body ?? {})

/** The session token that `DELETE /self-service/logout/api` is to end; empty when none is given. @throws 400 */
export function readNativeLogoutToken(req: FastifyRequest): string {
  const body = nativeLogoutBody.safeParse(jsonBody(req))
  if (!body.success) throw badRequest('Unable to decode JSON payload: "session_token" must be a string.')
  return body.data.session_token ?? ''
}
