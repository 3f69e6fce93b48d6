import type { JsonObject } from '../../identities/types.ts'
import type { Channel, TemplateType } from '../types.ts'

/** A message on its way out. */
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
 * What became of one try. `refused`: for good, another try would get the same answer. `closed`: nobody's message is taken
 * (wrong password); the message itself is not to blame.
 */
export type Attempt =
  | { result: 'sent' }
  | { result: 'failed' | 'refused' | 'closed'; code: number | undefined; reason: string }

export interface Sender {
  /** Never throws, and ends within its time limit. */
  send(message: Outgoing): Promise<Attempt>
}

/** Longest text of another server that is kept or logged. */
const MAX_REASON = 500

export const failed = (reason: string, result: 'failed' | 'refused' | 'closed' = 'failed', code?: number): Attempt => {
  return { result, code, reason: reason.slice(0, MAX_REASON) }
}
