import {
  COOKIE,
  type Description,
  error,
  json,
  list,
  map,
  nullable,
  object,
  oneWord,
  ref,
  SESSION_TOKEN,
  text,
} from '../../kernel/http/openapi/openapi.ts'
import { BROWSER_MUST_MOVE, flowMembers, flowOperations, ORGANIZATION, RETURN_TO } from '../openapi.ts'

const signedOut = error('There is no active session.')
const notNow = error('The session is too old for this, or needs a second factor.')

export const settingsDescription: Description = {
  tag: 'settings',
  operations: flowOperations('settings', 'a change of settings', {
    browser: {
      parameters: [RETURN_TO, COOKIE, ORGANIZATION],
      answers: { 400: error('`return_to` is not allowed.'), 401: signedOut, 403: notNow },
    },
    native: { parameters: [SESSION_TOKEN, ORGANIZATION], answers: { 400: error('A browser asks.') } },
    show: { parameters: [SESSION_TOKEN], answers: { 401: signedOut } },
    submit: {
      summary: 'Changes traits or credentials of the person who is signed in.',
      parameters: [SESSION_TOKEN],
      answers: { 200: json('Changed.', 'settingsFlow'), 401: signedOut, 403: notNow, 422: BROWSER_MUST_MOVE },
    },
  }),
  schemas: {
    settingsFlow: object(
      { ...flowMembers.required, identity: ref('identity') },
      { ...flowMembers.optional, continue_with: nullable(list(ref('continueWith'))) },
    ),
    updateSettingsFlowBody: object(
      { method: oneWord('password', 'profile') },
      { traits: map, password: text, csrf_token: text, transient_payload: map },
    ),
  },
}
