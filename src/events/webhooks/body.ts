import { z } from 'zod'
import {
  webhookEvents,
  webhookHeaders,
  webhookSecret,
  webhookTimeout,
  webhookUrl,
} from '../../config/schema/webhook.ts'
import { badRequest } from '../../kernel/http/errors.ts'

const secret = webhookSecret.max(500)
const members = {
  url: webhookUrl.max(2000),
  events: webhookEvents,
  headers: webhookHeaders,
  timeout: webhookTimeout,
  enabled: z.boolean(),
}

export const newWebhook = z.strictObject({
  ...members,
  id: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _')
    .optional(),
  secret: secret.optional(),
  events: members.events.default(['*']),
  headers: members.headers.default({}),
  timeout: members.timeout.prefault('5s'),
  enabled: members.enabled.default(true),
})
export const webhookChange = z.strictObject(members).partial()
export const secretRotation = z.strictObject({ secret: secret.optional(), keep_previous: z.boolean().default(true) })
export const replayRequest = z.strictObject({
  which: z.enum(['dead', 'all']).default('dead'),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  after_seq: z.int().min(0).optional(),
  up_to_seq: z.int().min(0).optional(),
})

export type NewWebhook = z.output<typeof newWebhook>
export type WebhookChange = z.output<typeof webhookChange>
export type SecretRotation = z.output<typeof secretRotation>
export type ReplayRequest = z.output<typeof replayRequest>

/** @throws HttpError 400 naming the member and what it must be */
export const readNewWebhook = (body: unknown): NewWebhook => read(newWebhook, body)
export const readWebhookChange = (body: unknown): WebhookChange => read(webhookChange, body)
export const readRotation = (body: unknown): SecretRotation => read(secretRotation, body)
export const readReplay = (body: unknown): ReplayRequest => read(replayRequest, body)

function read<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw badRequest(path.length === 0 ? message : `"${path.join('.')}": ${message}`)
}
