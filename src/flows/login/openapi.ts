import {
  bool,
  COOKIE,
  type Description,
  error,
  json,
  list,
  map,
  nullable,
  object,
  query,
  ref,
  SESSION_TOKEN,
  text,
  time,
} from '../../kernel/http/openapi/openapi.ts'
import {
  BROWSER_MUST_MOVE,
  EXCHANGE_CODE,
  flowMembers,
  flowOperations,
  IDENTITY_SCHEMA,
  LOGIN_CHALLENGE,
  ORGANIZATION,
  RETURN_TO,
} from '../openapi.ts'

const refresh = query('refresh', 'Asks for a fresh proof, although the caller is signed in.', bool)
const aal = query('aal', 'Level to reach: `aal1` or `aal2`.')
const via = query('via', 'Trait to send a code to; without effect.')

export const loginDescription: Description = {
  tag: 'login',
  operations: flowOperations('login', 'a login', {
    browser: {
      parameters: [refresh, aal, RETURN_TO, COOKIE, LOGIN_CHALLENGE, ORGANIZATION, via, IDENTITY_SCHEMA],
      answers: { 400: error('Already signed in, or `return_to` is not allowed.') },
    },
    native: {
      parameters: [refresh, aal, SESSION_TOKEN, EXCHANGE_CODE, RETURN_TO, ORGANIZATION, via, IDENTITY_SCHEMA],
      answers: { 400: error('Already signed in, or a browser asks.') },
    },
    submit: {
      summary: 'Takes the form of a login.',
      parameters: [SESSION_TOKEN],
      answers: { 200: json('Signed in.', 'successfulNativeLogin'), 422: BROWSER_MUST_MOVE },
    },
  }),
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
      { session_token: text, continue_with: nullable(list(ref('continueWith'))) },
    ),
  },
}
