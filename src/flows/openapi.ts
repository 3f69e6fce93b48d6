import {
  type Answer,
  anything,
  bool,
  type Description,
  error,
  integer,
  json,
  list,
  map,
  object,
  oneWord,
  query,
  ref,
  type Schema,
  text,
  time,
  uuid,
} from '../kernel/http/openapi/openapi.ts'

export const RETURN_TO = query('return_to', 'Where the browser goes at the end; must be on the allow list.')
export const ORGANIZATION = query('organization', 'Without effect: there are no organisations.')
export const IDENTITY_SCHEMA = query('identity_schema', 'Identity schema to use, of those that may be chosen.')
export const LOGIN_CHALLENGE = query(
  'login_challenge',
  'Challenge with which an OAuth2 server has sent the person here.',
)
export const EXCHANGE_CODE = query(
  'return_session_token_exchange_code',
  'Whether a code for `/sessions/token-exchange` is given.',
  bool,
)
export const FLOW_GONE = error('The flow has expired; `use_flow_id` or `redirect_browser_to` leads to a new one.')

/** @param what its name in descriptions */
export const flowAnswers = (schema: string) => ({ 200: json('The flow, with the form to show.', schema) })
export const FLOW_REFUSED: Record<string, Answer> = {
  403: error('The flow was begun by another browser.'),
  404: error('There is no such flow.'),
  410: FLOW_GONE,
}
export const BROWSER_MUST_MOVE = json(
  'A browser must go to `redirect_browser_to`.',
  'errorBrowserLocationChangeRequired',
)

/** Members that all flows have. */
export const flowMembers: { required: Record<string, Schema>; optional: Record<string, Schema> } = {
  required: {
    id: uuid,
    type: oneWord('browser', 'api'),
    expires_at: time,
    issued_at: time,
    request_url: text,
    ui: ref('uiContainer'),
    state: text,
  },
  optional: { active: text, return_to: text, transient_payload: map, organization_id: { ...uuid, nullable: true } },
}

/** The form that all flows have. */
export const flowsDescription: Description = {
  tag: 'flows',
  operations: [],
  schemas: {
    uiContainer: object({ action: text, method: text, nodes: list(ref('uiNode')) }, { messages: list(ref('uiText')) }),
    uiNode: object({
      type: oneWord('text', 'input', 'img', 'a', 'script', 'div'),
      group: text,
      attributes: ref('uiNodeAttributes'),
      messages: list(ref('uiText')),
      meta: object({}, { label: ref('uiText') }),
    }),
    uiNodeAttributes: {
      ...object(
        { node_type: oneWord('input', 'text', 'img', 'a', 'script', 'div') },
        {
          name: text,
          type: text,
          value: anything,
          required: bool,
          disabled: bool,
          autocomplete: text,
          pattern: text,
          maxlength: integer,
          label: ref('uiText'),
        },
      ),
      description: 'Those of an `input` are named here; the others have members of their own.',
    },
    uiText: object({ id: integer, text, type: oneWord('info', 'error', 'success') }, { context: map }),
    continueWith: { ...object({ action: text }), additionalProperties: true },
  },
}
