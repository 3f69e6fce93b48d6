import {
  bool,
  COOKIE,
  type Description,
  error,
  formOrJsonBody,
  json,
  list,
  map,
  needed,
  OTHER_ERRORS,
  object,
  query,
  ref,
  SENT_ON,
  SESSION_TOKEN,
  text,
  time,
} from '../../kernel/http/openapi/openapi.ts'
import {
  BROWSER_MUST_MOVE,
  EXCHANGE_CODE,
  FLOW_GONE,
  FLOW_REFUSED,
  flowAnswers,
  flowMembers,
  IDENTITY_SCHEMA,
  LOGIN_CHALLENGE,
  ORGANIZATION,
  RETURN_TO,
} from '../openapi.ts'

const refresh = query('refresh', 'Asks again who is there, although somebody is signed in.', bool)
const aal = query('aal', 'Level to reach: `aal1` or `aal2`.')
const via = query('via', 'Trait to send a code to; without effect.')
const flow = flowAnswers('loginFlow')

export const loginDescription: Description = {
  tag: 'login',
  operations: [
    {
      ...{ id: 'createBrowserLoginFlow', method: 'get', path: '/self-service/login/browser', port: 'public' },
      summary: 'Begins a login in a browser.',
      parameters: [refresh, aal, RETURN_TO, COOKIE, LOGIN_CHALLENGE, ORGANIZATION, via, IDENTITY_SCHEMA],
      answers: {
        ...flow,
        303: SENT_ON,
        400: error('Already signed in, or `return_to` is not allowed.'),
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'createNativeLoginFlow', method: 'get', path: '/self-service/login/api', port: 'public' },
      summary: 'Begins a login in an app.',
      parameters: [refresh, aal, SESSION_TOKEN, EXCHANGE_CODE, RETURN_TO, ORGANIZATION, via, IDENTITY_SCHEMA],
      answers: { ...flow, 400: error('Already signed in, or a browser asks.'), ...OTHER_ERRORS },
    },
    {
      ...{ id: 'getLoginFlow', method: 'get', path: '/self-service/login/flows', port: 'public' },
      summary: 'Shows a login that was begun.',
      parameters: [needed(query('id', 'Id of the flow.')), COOKIE],
      answers: { ...flow, ...FLOW_REFUSED, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'updateLoginFlow', method: 'post', path: '/self-service/login', port: 'public' },
      summary: 'Takes the form of a login.',
      parameters: [needed(query('flow', 'Id of the flow.')), SESSION_TOKEN, COOKIE],
      body: formOrJsonBody('updateLoginFlowBody'),
      answers: {
        200: json('Signed in.', 'successfulNativeLogin'),
        303: SENT_ON,
        400: json('The flow, with what is wrong.', 'loginFlow'),
        410: FLOW_GONE,
        422: BROWSER_MUST_MOVE,
        ...OTHER_ERRORS,
      },
    },
  ],
  schemas: {
    loginFlow: object(flowMembers.required, {
      ...flowMembers.optional,
      refresh: bool,
      requested_aal: ref('authenticatorAssuranceLevel'),
      identity_schema: text,
      session_token_exchange_code: text,
      oauth2_login_challenge: text,
      oauth2_login_request: map,
      created_at: time,
      updated_at: time,
    }),
    updateLoginFlowBody: object(
      { method: { ...text, description: '`password`' }, identifier: text, password: text },
      { csrf_token: text, transient_payload: map },
    ),
    successfulNativeLogin: object(
      { session: ref('session') },
      { session_token: text, continue_with: list(ref('continueWith')) },
    ),
  },
}
