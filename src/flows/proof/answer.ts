import type { Json } from '../../identities/types.ts'
import { uiAnswer } from '../answer.ts'
import type { Flow } from '../types.ts'
import { requestedReturnTo } from '../urls.ts'

/** A flow of recovery or verification as clients see it. */
export function proofFlowAnswer(flow: Flow, transientPayload?: Json) {
  const returnTo = requestedReturnTo(flow.request_url)
  return {
    id: flow.id,
    type: flow.type,
    expires_at: flow.expires_at,
    issued_at: flow.issued_at,
    request_url: flow.request_url,
    ...(returnTo === '' ? {} : { return_to: returnTo }),
    active: flow.active_method,
    ui: uiAnswer(flow),
    state: flow.state,
    ...(transientPayload === undefined ? {} : { transient_payload: transientPayload }),
  }
}
