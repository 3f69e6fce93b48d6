import type { Json, JsonObject } from '../identities/types.ts'
import type { Micros, Timestamp } from '../kernel/base/clock.ts'
import type { JsonLimits } from '../kernel/base/json.ts'
import type { Client } from '../kernel/http/client.ts'
import type { Credentials, DeviceFacts } from '../sessions/types.ts'
import type { RequestFacts } from './hooks/types.ts'

/** `browser`: cookies and an anti-CSRF token; also single-page apps. `api`: neither. */
export type FlowType = 'browser' | 'api'

/** Ids and texts are part of the contract: user interfaces translate by id. */
export interface UiMessage {
  id: number
  text: string
  type: 'info' | 'error' | 'success'
  context?: JsonObject
}

export interface InputAttributes {
  name: string
  type: string
  value?: Json
  required?: boolean
  autocomplete?: string
  pattern?: string
  maxlength?: number
  disabled: boolean
  node_type: 'input'
  /** scripts of WebAuthn and passkeys: what runs, and the name of the function */
  onclick?: string
  onclickTrigger?: string
  onload?: string
  onloadTrigger?: string
}

interface NodeBase {
  group: string
  messages: UiMessage[]
  meta: { label?: UiMessage }
}

export interface InputNode extends NodeBase {
  type: 'input'
  attributes: InputAttributes
}

/** Shown or run, and not sent back: a text, an image, a script. */
export interface ShownNode extends NodeBase {
  type: 'text' | 'img' | 'a' | 'script' | 'div'
  attributes: JsonObject & { id: string; node_type: ShownNode['type'] }
}

export type UiNode = InputNode | ShownNode

export const isInput = (node: UiNode): node is InputNode => node.attributes.node_type === 'input'

/** The progress of a flow. Settings flows are at `show_form` or `success`, the others begin at `choose_method`. */
export type FlowState =
  | 'choose_method'
  | 'sent_email'
  | 'passed_challenge'
  | 'show_form'
  | 'success'
  // a recovery that asks which of several addresses is meant
  | `recovery_${'awaiting_address' | 'awaiting_address_choice' | 'confirming_address' | 'awaiting_code'}`

export interface Ui {
  action: string
  /** `GET` when the form is only a way on */
  method: 'POST' | 'GET'
  nodes: UiNode[]
  messages?: UiMessage[]
}

/** A message and the input it belongs to; without `path` it is about the form as a whole. */
export interface FormProblem {
  path?: string
  message: UiMessage
}

/** The members that all flows have, as stored. */
export interface Flow {
  id: string
  type: FlowType
  /** the URL that began it, with its query: `return_to` is read from there */
  request_url: string
  issued_at: Timestamp
  expires_at: Timestamp
  /** the anti-CSRF token at the start; empty in native flows */
  csrf_token: string
  /** id of the requested schema; empty: the default one */
  identity_schema: string
  ui: Ui
  state: FlowState
  /** the method that has begun or finished it; empty at first */
  active_method: string
  /** data of methods between steps. Never shown */
  context: JsonObject
}

/** The part of a flow that a submit changes. */
export type FlowProgress = Pick<Flow, 'id' | 'ui' | 'state' | 'active_method' | 'context'>

/** A submitted form: a JSON object, or form fields with all their values. `limits` are for JSON inside a text. */
export type SubmittedForm = { limits: JsonLimits } & (
  | { kind: 'json'; values: JsonObject }
  | { kind: 'form'; values: Readonly<Record<string, readonly string[]>> }
)

/** The caller who submits a form, without the terms of HTTP. */
export interface Caller {
  /** a script reads the answer, so it gets no redirect */
  scripted: boolean
  credentials: Credentials
  device: DeviceFacts
  client: Client
  /** cookie of a browser that has signed in before */
  knownBrowser: string | undefined
  /** the form, decoded at the first call. @throws 400 with the reason that the form shows */
  form(): Promise<SubmittedForm>
  /** @param flow whose form it is. @throws 403 `security_csrf_violation` unless the token fits the cookie */
  checkCsrf(token: string, flow?: Pick<Flow, 'request_url' | 'ui'>): void
  /** a token for the next submit; empty for a caller without the cookie */
  csrfToken(): string
  /** facts of the request for web hooks and messages */
  facts(): RequestFacts
  /** a header that only browsers send, which a native flow must not have */
  browserHeader: 'Cookie' | 'Origin' | undefined
}

/** A flow that expired at `at`, replaced by a fresh one. */
export interface Expired {
  at: Timestamp
  since: Micros
}
