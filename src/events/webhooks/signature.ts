import { createHmac } from 'node:crypto'
import type { Random } from '../../kernel/crypto/tokens.ts'

const PREFIX = 'whsec_'
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** A secret for a receiver: 32 random bytes, in the form that libraries for receivers read. */
export function newWebhookSecret(random: Random): string {
  return PREFIX + random(32).toString('base64')
}

/** The key in a secret: base64 after `whsec_`, otherwise the text itself. */
export function webhookKey(secret: string): Buffer {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : undefined
  return encoded !== undefined && BASE64.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.from(secret)
}

/**
 * The headers that authenticate a message: its id, the time of this try in seconds, and a signature by each secret, so that a
 * receiver may have the old one or the new one.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhookHeaders(id: string, seconds: number, body: string, secrets: readonly string[]) {
  const signed = `${id}.${seconds}.${body}`
  const signature = (secret: string) => `v1,${createHmac('sha256', webhookKey(secret)).update(signed).digest('base64')}`
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': secrets.map(signature).join(' '),
  }
}
