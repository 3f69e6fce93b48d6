import type { JsonObject } from '../../identities/types.ts'
import { shortened } from '../../kernel/base/text.ts'
import type { Channel, TemplateType } from '../types.ts'

/** A message to send. */
export interface Outgoing {
  /** of the row; the same for each try */
  id: string
  channel: Channel
  recipient: string
  subject: string
  body: string
  html: string | undefined
  template: TemplateType
  data: JsonObject
  requestHeaders: Readonly<Record<string, readonly string[]>>
}

/**
 * The result of one try. `refused`: for good, another try would get the same answer. `closed`: the server refuses all messages
 * (wrong password), which is not the fault of this one. `noSuchRecipient`: whatever the message is.
 */
export type Attempt =
  | { result: 'sent' }
  | { result: 'failed' | 'refused' | 'closed'; code: number | undefined; reason: string; noSuchRecipient?: true }

export interface Sender {
  /** Never throws, and ends within its time limit. */
  send(message: Outgoing): Promise<Attempt>
}

/** Longest text of another server that is stored or logged. */
const MAX_REASON = 500

export const failed = (
  reason: string,
  result: 'failed' | 'refused' | 'closed' = 'failed',
  code?: number,
): Exclude<Attempt, { result: 'sent' }> => {
  return { result, code, reason: shortened(reason, MAX_REASON) }
}
