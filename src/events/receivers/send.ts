import { exchange } from '../../kernel/outbound/client.ts'
import { createConnections } from '../../kernel/outbound/connections.ts'
import type { AddressRules } from '../../kernel/outbound/guard.ts'
import { retryAfterMs } from '../../kernel/outbound/retry-after.ts'

export interface Message {
  url: string
  headers: Record<string, string>
  body: string
  /** for the whole try, up to the last byte of the answer */
  timeoutMs: number
}

/** The result of one try. */
export interface Attempt {
  ok: boolean
  status: number | null
  /** for the operator; null when it worked */
  error: string | null
  /** from the receiver's `Retry-After` */
  retryAfterMs: number | undefined
}

export interface Sender {
  /** Never throws. @param now milliseconds since 1970 */
  post(message: Message, rules: AddressRules, now: number): Promise<Attempt>
  close(): void
}

/** No more of an answer is read: only its status counts, also when the rest is missing. */
const MAX_ANSWER_BYTES = 16 * 1024

/** Sends by POST, without following redirects. */
export function createSender(): Sender {
  const connections = createConnections()
  return {
    async post(message, rules, now) {
      try {
        const request = { method: 'POST', maxBytes: MAX_ANSWER_BYTES, ...message } as const
        const { status, headers } = await exchange(request, rules, connections)
        if (status >= 200 && status < 300) return { ok: true, status, error: null, retryAfterMs: undefined }
        const redirect = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
        const error = `answered with status ${status}${redirect}`
        return { ok: false, status, error, retryAfterMs: retryAfterMs(headers['retry-after'], now) }
      } catch (error) {
        return { ok: false, status: null, error: (error as Error).message, retryAfterMs: undefined }
      }
    },
    close: () => connections.close(),
  }
}
