import {
  type Answer,
  anything,
  bool,
  COOKIE,
  type Description,
  error,
  formOrJsonBody,
  integer,
  json,
  list,
  map,
  needed,
  type Operation,
  OTHER_ERRORS,
  object,
  oneWord,
  type Parameter,
  query,
  ref,
  type Schema,
  SENT_ON,
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
const FLOW_GONE = error('The flow has expired; `use_flow_id` or `redirect_browser_to` leads to a new one.')

const FLOW_REFUSED: Record<string, Answer> = {
  403: error('The flow was begun by another browser.'),
  404: error('There is no such flow.'),
  410: FLOW_GONE,
}
export const BROWSER_MUST_MOVE = json(
  'A browser must go to `redirect_browser_to`.',
  'errorBrowserLocationChangeRequired',
)

/** What one operation of a kind of flow has beside that which all kinds have. */
interface Part {
  parameters: readonly Parameter[]
  answers?: Record<string, Answer>
}

/** Begun by a browser or an app, shown, and its form taken: the four operations of every kind of flow. */
export function flowOperations(
  name: 'login' | 'registration' | 'settings' | 'recovery' | 'verification',
  /** what is begun, for summaries: `a login` */
  what: string,
  own: {
    browser: Part
    native: Part
    show?: Part
    submit: Part & { summary: string; answers: { 200: Answer } }
  },
): Operation[] {
  const title = `${name.charAt(0).toUpperCase()}${name.slice(1)}Flow`
  const flow = { 200: json('The flow, with the form to show.', `${name}Flow`) }
  const common = { method: 'get', port: 'public' } as const
  return [
    {
      ...common,
      id: `createBrowser${title}`,
      path: `/self-service/${name}/browser`,
      summary: `Begins ${what} in a browser.`,
      parameters: own.browser.parameters,
      answers: { ...flow, 303: SENT_ON, ...own.browser.answers, ...OTHER_ERRORS },
    },
    {
      ...common,
      id: `createNative${title}`,
      path: `/self-service/${name}/api`,
      summary: `Begins ${what} in an app.`,
      parameters: own.native.parameters,
      answers: { ...flow, ...own.native.answers, ...OTHER_ERRORS },
    },
    {
      ...common,
      id: `get${title}`,
      path: `/self-service/${name}/flows`,
      summary: `Shows ${what} that was begun.`,
      parameters: [needed(query('id', 'Id of the flow.')), ...(own.show?.parameters ?? []), COOKIE],
      answers: { ...flow, ...own.show?.answers, ...FLOW_REFUSED, ...OTHER_ERRORS },
    },
    {
      id: `update${title}`,
      method: 'post',
      path: `/self-service/${name}`,
      port: 'public',
      summary: own.submit.summary,
      parameters: [needed(query('flow', 'Id of the flow.')), ...own.submit.parameters, COOKIE],
      body: formOrJsonBody(`update${title}Body`),
      answers: {
        303: SENT_ON,
        400: json('The flow, with what is wrong or what comes next.', `${name}Flow`),
        410: FLOW_GONE,
        ...own.submit.answers,
        ...OTHER_ERRORS,
      },
    },
  ]
}

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

/** The form that all flows are made of. */
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
