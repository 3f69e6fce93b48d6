import {
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
  oneWord,
  query,
  ref,
  SENT_ON,
  text,
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

const afterVerification = query('after_verification_return_to', 'Without effect: addresses are not verified.')
const flow = flowAnswers('registrationFlow')

export const registrationDescription: Description = {
  tag: 'registration',
  operations: [
    {
      ...{ id: 'createBrowserRegistrationFlow', method: 'get', path: '/self-service/registration/browser' },
      port: 'public',
      summary: 'Begins a registration in a browser.',
      parameters: [RETURN_TO, LOGIN_CHALLENGE, afterVerification, ORGANIZATION, IDENTITY_SCHEMA],
      answers: { ...flow, 303: SENT_ON, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'createNativeRegistrationFlow', method: 'get', path: '/self-service/registration/api' },
      port: 'public',
      summary: 'Begins a registration in an app.',
      parameters: [EXCHANGE_CODE, RETURN_TO, ORGANIZATION, IDENTITY_SCHEMA],
      answers: { ...flow, 400: error('Somebody is signed in, or a browser asks.'), ...OTHER_ERRORS },
    },
    {
      ...{ id: 'getRegistrationFlow', method: 'get', path: '/self-service/registration/flows', port: 'public' },
      summary: 'Shows a registration that was begun.',
      parameters: [needed(query('id', 'Id of the flow.')), COOKIE],
      answers: { ...flow, ...FLOW_REFUSED, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'updateRegistrationFlow', method: 'post', path: '/self-service/registration', port: 'public' },
      summary: 'Takes the form of a registration: first the traits, then a password, or both at once.',
      parameters: [needed(query('flow', 'Id of the flow.')), COOKIE],
      body: formOrJsonBody('updateRegistrationFlowBody'),
      answers: {
        200: json('Registered, and signed in where the configuration says so.', 'successfulNativeRegistration'),
        303: SENT_ON,
        400: json('The flow, with what is wrong or what comes next.', 'registrationFlow'),
        410: FLOW_GONE,
        422: BROWSER_MUST_MOVE,
        ...OTHER_ERRORS,
      },
    },
  ],
  schemas: {
    registrationFlow: object(flowMembers.required, {
      ...flowMembers.optional,
      identity_schema: text,
      session_token_exchange_code: text,
      oauth2_login_challenge: text,
      oauth2_login_request: map,
    }),
    updateRegistrationFlowBody: object(
      { method: oneWord('password', 'profile'), traits: map },
      { password: text, screen: oneWord('credential-selection', 'previous'), csrf_token: text, transient_payload: map },
    ),
    successfulNativeRegistration: object(
      { identity: ref('identity') },
      { session: ref('session'), session_token: text, continue_with: list(ref('continueWith')) },
    ),
  },
}
