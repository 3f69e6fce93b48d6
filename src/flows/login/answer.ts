import { type AnswerExtras, flowHead, flowTail, uiAnswer } from '../answer.ts'
import type { LoginFlow } from './types.ts'

/** A login flow as clients see it. */
export function loginAnswer(flow: LoginFlow, extras: AnswerExtras = {}) {
  return {
    ...flowHead(flow),
    ui: uiAnswer(flow),
    created_at: flow.created_at,
    updated_at: flow.updated_at,
    refresh: flow.refresh,
    requested_aal: flow.requested_aal,
    ...flowTail(flow, extras),
  }
}
