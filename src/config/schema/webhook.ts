import { validateHeaderName, validateHeaderValue } from 'node:http'
import { urlToHttpOptions } from 'node:url'
import { z } from 'zod'
import { parseUrl } from '../../kernel/base/url.ts'
import { duration } from './fields.ts'

/** Types of events in the log. */
export const EVENT_TYPES = ['session.created', 'session.ended', 'session.resumed', 'registration.refused'] as const

/**
 * A receiver of events, in the configuration and at the admin port alike. Each value is tried the way it will
 * be used: one that cannot work fails here, and not three days later in the list of dead letters.
 */
export const webhookUrl = z.string().check((ctx) => report(ctx, urlProblem(ctx.value)))
export const webhookSecret = z
  .string()
  .min(16)
  .check((ctx) => report(ctx, secretProblem(ctx.value)))
export const webhookEvents = z.array(z.enum(['*', ...EVENT_TYPES])).min(1)
export const webhookHeaders = z
  .record(z.string(), z.string())
  .check((ctx) => report(ctx, headersProblem(Object.entries(ctx.value))))
export const webhookTimeout = duration().refine(
  (ms) => ms >= 100 && ms <= 60_000,
  'must be a duration from 100ms to 60s',
)

function report(ctx: z.core.ParsePayload<unknown>, message: string | undefined): void {
  if (message !== undefined) ctx.issues.push({ code: 'custom', input: ctx.value, message })
}

function urlProblem(text: string): string | undefined {
  if (!/^https?:\/\/[^/\\?#\s]+/.test(text)) return 'must be an http or https URL, as in https://shop.example.com/hooks'
  if (/[\p{Cc}\s]/u.test(text)) return 'must be a URL without white space'
  const url = parseUrl(text)
  if (url === undefined) return 'must be a URL: host or port cannot be read'
  if (url.port === '0') return 'must be a URL with a port from 1 to 65535'
  try {
    urlToHttpOptions(url)
  } catch {
    return 'must be a URL whose user name and password are percent-encoded'
  }
  return undefined
}

/**
 * Receivers decode what follows `whsec_`: a text that they cannot decode would sign with a key that they do not have.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */
function secretProblem(text: string): string | undefined {
  if (text !== text.trim()) return 'must not begin or end with white space; a file with a newline at its end has one'
  if (/[\p{Cc}\p{Cs}]/u.test(text)) return 'must not hold control characters'
  if (/^wh[sp]k_/i.test(text)) return 'must not be a key for asymmetric signatures; those are not made'
  if (/^v\d+[a-z]*,/i.test(text)) return 'must not begin with a version such as "v1,", which belongs to signatures'
  const at = text.toLowerCase().indexOf('whsec_')
  if (at < 0) return undefined
  if (!text.startsWith('whsec_')) return 'must begin with whsec_, in small letters and without quotes, where it has it'
  const encoded = text.slice('whsec_'.length)
  const key = Buffer.from(encoded, 'base64')
  if (key.toString('base64') !== encoded) {
    return 'must be base64 behind whsec_: letters, digits, + and /, filled up with = to a multiple of four'
  }
  if (key.length < 24 || key.length > 64) return `must be base64 of 24 to 64 bytes behind whsec_, and has ${key.length}`
  return undefined
}

/** Headers that each delivery sets itself, or that belong to the connection. */
const NOT_OURS_TO_TAKE = new Set([
  'content-type',
  'content-length',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
])

function headersProblem(headers: readonly (readonly [name: string, value: string])[]): string | undefined {
  const seen = new Set<string>()
  for (const [name, value] of headers) {
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch {
      return 'must be names and values of HTTP headers'
    }
    const lower = name.toLowerCase()
    if (NOT_OURS_TO_TAKE.has(lower)) return `must not have ${lower}: each delivery sets it itself, or cannot carry it`
    if (seen.has(lower)) return `must not have ${lower} twice: case does not count in names of headers`
    seen.add(lower)
  }
  return undefined
}
