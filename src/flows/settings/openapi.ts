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
  SESSION_TOKEN,
  text,
} from '../../kernel/http/openapi/openapi.ts'
import {
  BROWSER_MUST_MOVE,
  FLOW_GONE,
  FLOW_REFUSED,
  flowAnswers,
  flowMembers,
  ORGANIZATION,
  RETURN_TO,
} from '../openapi.ts'

const flow = flowAnswers('settingsFlow')
const noSession = error('There is no active session.')
const notNow = error('The session is too old for this, or needs a second factor.')

export const settingsDescription: Description = {
  tag: 'settings',
  operations: [
    {
      ...{ id: 'createBrowserSettingsFlow', method: 'get', path: '/self-service/settings/browser', port: 'public' },
      summary: 'Begins a change of settings in a browser.',
      parameters: [RETURN_TO, COOKIE, ORGANIZATION],
      answers: {
        ...flow,
        303: SENT_ON,
        400: error('`return_to` is not allowed.'),
        401: noSession,
        403: notNow,
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'createNativeSettingsFlow', method: 'get', path: '/self-service/settings/api', port: 'public' },
      summary: 'Begins a change of settings in an app.',
      parameters: [SESSION_TOKEN, ORGANIZATION],
      answers: { ...flow, 400: error('A browser asks.'), ...OTHER_ERRORS },
    },
    {
      ...{ id: 'getSettingsFlow', method: 'get', path: '/self-service/settings/flows', port: 'public' },
      summary: 'Shows a change of settings that was begun.',
      parameters: [needed(query('id', 'Id of the flow.')), SESSION_TOKEN, COOKIE],
      answers: { ...flow, 401: noSession, ...FLOW_REFUSED, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'updateSettingsFlow', method: 'post', path: '/self-service/settings', port: 'public' },
      summary: 'Changes traits or the password of the one who is signed in.',
      parameters: [needed(query('flow', 'Id of the flow.')), SESSION_TOKEN, COOKIE],
      body: formOrJsonBody('updateSettingsFlowBody'),
      answers: {
        200: json('Changed.', 'settingsFlow'),
        303: SENT_ON,
        400: json('The flow, with what is wrong.', 'settingsFlow'),
        401: noSession,
        403: notNow,
        410: FLOW_GONE,
        422: BROWSER_MUST_MOVE,
        ...OTHER_ERRORS,
      },
    },
  ],
  schemas: {
    settingsFlow: object(
      { ...flowMembers.required, identity: ref('identity') },
      { ...flowMembers.optional, continue_with: list(ref('continueWith')) },
    ),
    updateSettingsFlowBody: object(
      { method: oneWord('password', 'profile') },
      { traits: map, password: text, csrf_token: text, transient_payload: map },
    ),
  },
}
