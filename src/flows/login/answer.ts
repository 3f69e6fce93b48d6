import { type AnswerExtras, flowHead, flowTail, oauth2Members, uiAnswer } from '../answer.ts'
import { requestedOrganization } from '../urls.ts'
import type { LoginFlow } from './types.ts'

/** A login flow as clients see it. */
export function loginAnswer(flow: LoginFlow, extras: AnswerExtras = {}) {
  return {
    ...flowHead(flow, requestedOrganization(flow.request_url) ?? null),
    ...oauth2Members(flow, extras),
    ui: isEmpty(flow) ? { ...uiAnswer(flow), nodes: null } : uiAnswer(flow),
    created_at: flow.created_at,
    updated_at: flow.updated_at,
    refresh: flow.refresh,
    requested_aal: flow.requested_aal,
    ...flowTail(flow, extras),
  }
}

/** An app that asks for a second factor of an identity without one gets an empty form. */
const isEmpty = ({ type, requested_aal, ui }: LoginFlow) =>
  type === 'api' && requested_aal === 'aal2' && ui.nodes.length === 1
