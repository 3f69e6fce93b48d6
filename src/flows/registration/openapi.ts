import {
  type Description,
  error,
  json,
  list,
  map,
  nullable,
  object,
  oneWord,
  query,
  ref,
  text,
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

const afterVerification = query('after_verification_return_to', 'Without effect: addresses are not verified.')

export const registrationDescription: Description = {
  tag: 'registration',
  operations: flowOperations('registration', 'a registration', {
    browser: { parameters: [RETURN_TO, LOGIN_CHALLENGE, afterVerification, ORGANIZATION, IDENTITY_SCHEMA] },
    native: {
      parameters: [EXCHANGE_CODE, RETURN_TO, ORGANIZATION, IDENTITY_SCHEMA],
      answers: { 400: error('Already signed in, or a browser asks.') },
    },
    submit: {
      summary: 'Takes the form of a registration: first the traits, then a credential, or both at once.',
      parameters: [],
      answers: {
        200: json('Registered, and signed in where the configuration says so.', 'successfulNativeRegistration'),
        422: BROWSER_MUST_MOVE,
      },
    },
  }),
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
      { session: ref('session'), session_token: text, continue_with: nullable(list(ref('continueWith'))) },
    ),
  },
}
