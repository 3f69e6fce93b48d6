import type { Json, JsonObject } from '../identities/types.ts'
import { type Flow, isInput, type UiNode } from './types.ts'
import { requestedLoginChallenge, requestedReturnTo } from './urls.ts'

/** Members of flows that an OAuth2 server may have begun. */
export function oauth2Members(flow: Flow, { oauth2Request }: AnswerExtras) {
  const challenge = requestedLoginChallenge(flow.request_url)
  return {
    ...(challenge === undefined ? {} : { oauth2_login_challenge: challenge }),
    ...(oauth2Request === undefined ? {} : { oauth2_login_request: oauth2Request }),
  }
}

/**
 * The first members of all flows, in the order of Kratos.
 * @param organization left out where flows of this kind belong to none
 */
export function flowHead(flow: Flow, organization?: string | null) {
  const returnTo = requestedReturnTo(flow.request_url)
  return {
    id: flow.id,
    ...(organization === undefined ? {} : { organization_id: organization }),
    type: flow.type,
    expires_at: flow.expires_at,
    issued_at: flow.issued_at,
    request_url: flow.request_url,
    ...(returnTo === '' ? {} : { return_to: returnTo }),
    ...(flow.active_method === '' ? {} : { active: flow.active_method }),
  }
}

export function uiAnswer({ ui }: Pick<Flow, 'ui'>) {
  const { action, method, messages } = ui
  return { action, method, nodes: ui.nodes.map(nodeAnswer), ...(messages ? { messages } : {}) }
}

/** The database returns members in an order of its own. */
function nodeAnswer(node: UiNode) {
  const { type, group, messages, meta } = node
  if (!isInput(node)) return { type, group, attributes: node.attributes, messages, meta }
  const { name, type: inputType, ...rest } = node.attributes
  return { type, group, attributes: { name, type: inputType, ...rest }, messages, meta }
}

export interface AnswerExtras {
  /** the login request of the OAuth2 server that sent the browser */
  oauth2Request?: JsonObject | undefined
  /** only right after the flow was begun */
  exchangeCode?: string | undefined
  transientPayload?: Json | undefined
}

export function flowTail(flow: Flow, { exchangeCode, transientPayload }: AnswerExtras) {
  return {
    state: flow.state,
    ...(flow.identity_schema === '' ? {} : { identity_schema: flow.identity_schema }),
    ...(exchangeCode === undefined ? {} : { session_token_exchange_code: exchangeCode }),
    ...(transientPayload === undefined ? {} : { transient_payload: transientPayload }),
  }
}
