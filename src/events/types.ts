import type { EVENT_TYPES } from '../config/schema/webhook.ts'
import type { Timestamp } from '../kernel/base/clock.ts'
import type { Actor, DeviceFacts, EndCause } from '../sessions/types.ts'

export { EVENT_TYPES } from '../config/schema/webhook.ts'
export type EventType = (typeof EVENT_TYPES)[number]

export const END_CAUSES: readonly EndCause[] = [
  ...(['logout', 'revoked_by_user', 'revoked_by_admin', 'expired', 'identity_disabled', 'identity_deleted'] as const),
  ...(['credentials_changed', 'recovery', 'limit', 'idle', 'absolute', 'ended_elsewhere'] as const),
]

/** A row of the log. */
export interface EventRow {
  seq: number
  id: string
  type: EventType
  cause: EndCause | null
  session_id: string | null
  identity_id: string | null
  actor: Actor | null
  device: DeviceFacts | null
  data: Record<string, unknown> | null
  created_at: Timestamp
}

/** An event as clients see it: in lists, streams and deliveries. */
export interface EventAnswer {
  id: string
  /** position in the log: grows, with gaps */
  seq: number
  type: EventType
  time: Timestamp
  cause: EndCause | null
  session_id: string | null
  identity_id: string | null
  actor: Actor | null
  device: DeviceFacts | null
  data: Record<string, unknown> | null
}

/** `dead`: given up, until an operator sends it again. */
export const DELIVERY_STATES = ['pending', 'delivered', 'dead'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** Which events are wanted. An undefined member matches everything; a list matches any of its entries. */
export interface EventFilter {
  types?: readonly string[] | undefined
  causes?: readonly string[] | undefined
  sessionId?: string | undefined
  identityId?: string | undefined
}
