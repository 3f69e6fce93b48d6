import {
  COOKIE,
  type Description,
  error,
  formOrJsonBody,
  json,
  jsonBody,
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
  time,
  uuid,
} from '../../kernel/http/openapi/openapi.ts'
import { BROWSER_MUST_MOVE, FLOW_GONE, FLOW_REFUSED, flowAnswers, flowMembers, RETURN_TO } from '../openapi.ts'

const flow = flowAnswers('recoveryFlow')
const refused = error('Recovery is switched off, somebody is signed in, or `return_to` is not allowed.')

export const recoveryDescription: Description = {
  tag: 'recovery',
  operations: [
    {
      ...{ id: 'createBrowserRecoveryFlow', method: 'get', path: '/self-service/recovery/browser', port: 'public' },
      summary: 'Begins a recovery in a browser.',
      parameters: [RETURN_TO],
      answers: { ...flow, 303: SENT_ON, 400: refused, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'createNativeRecoveryFlow', method: 'get', path: '/self-service/recovery/api', port: 'public' },
      summary: 'Begins a recovery in an app.',
      parameters: [SESSION_TOKEN],
      answers: { ...flow, 400: refused, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'getRecoveryFlow', method: 'get', path: '/self-service/recovery/flows', port: 'public' },
      summary: 'Shows a recovery that was begun.',
      parameters: [needed(query('id', 'Id of the flow.')), COOKIE],
      answers: { ...flow, ...FLOW_REFUSED, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'updateRecoveryFlow', method: 'post', path: '/self-service/recovery', port: 'public' },
      summary: 'Asks for a message with a code or link, or brings what came with it.',
      parameters: [
        needed(query('flow', 'Id of the flow.')),
        query('token', 'Secret of a link; also by GET.'),
        SESSION_TOKEN,
        COOKIE,
      ],
      body: formOrJsonBody('updateRecoveryFlowBody'),
      answers: {
        200: json('The flow: the next screen, the same one after a wrong code, or its end.', 'recoveryFlow'),
        303: SENT_ON,
        400: json('The flow, with what is wrong.', 'recoveryFlow'),
        410: FLOW_GONE,
        422: BROWSER_MUST_MOVE,
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'createRecoveryCodeForIdentity', method: 'post', path: '/admin/recovery/code', port: 'admin' },
      summary: 'Makes a code that an operator hands on to somebody who lost every way in.',
      parameters: [RETURN_TO],
      body: jsonBody('createRecoveryCodeForIdentityBody'),
      answers: {
        201: json('The code, and the page where it is entered.', 'recoveryCodeForIdentity'),
        400: error('The body cannot be read, or a member is not what it must be.'),
        404: error('There is no such identity, or the method is switched off.'),
        ...OTHER_ERRORS,
      },
    },
    {
      ...{ id: 'createRecoveryLinkForIdentity', method: 'post', path: '/admin/recovery/link', port: 'admin' },
      summary: 'Makes a link that signs in whoever opens it.',
      parameters: [RETURN_TO],
      body: jsonBody('createRecoveryLinkForIdentityBody'),
      answers: {
        200: json('The link.', 'recoveryLinkForIdentity'),
        400: error('There is no such identity, or the body cannot be read.'),
        404: error('The method is switched off.'),
        ...OTHER_ERRORS,
      },
    },
  ],
  schemas: {
    createRecoveryCodeForIdentityBody: object(
      { identity_id: uuid },
      { expires_in: text, flow_type: oneWord('browser', 'api') },
    ),
    createRecoveryLinkForIdentityBody: object({ identity_id: uuid }, { expires_in: text }),
    recoveryCodeForIdentity: object({ recovery_link: text, recovery_code: text }, { expires_at: time }),
    recoveryLinkForIdentity: object({ recovery_link: text }, { expires_at: time }),
    recoveryFlow: object(flowMembers.required, {
      ...flowMembers.optional,
      continue_with: list(ref('continueWith')),
    }),
    updateRecoveryFlowBody: object(
      {},
      {
        method: oneWord('code', 'link'),
        email: text,
        code: text,
        token: text,
        csrf_token: text,
        transient_payload: map,
      },
    ),
  },
}
