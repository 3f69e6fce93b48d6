import {
  type Description,
  error,
  json,
  jsonBody,
  list,
  map,
  nullable,
  OTHER_ERRORS,
  object,
  oneWord,
  query,
  ref,
  SESSION_TOKEN,
  text,
  time,
  uuid,
} from '../../kernel/http/openapi/openapi.ts'
import { BROWSER_MUST_MOVE, flowMembers, flowOperations, RETURN_TO } from '../openapi.ts'

const refused = error('Recovery is switched off, the caller is signed in, or `return_to` is not allowed.')

export const recoveryDescription: Description = {
  tag: 'recovery',
  operations: [
    ...flowOperations('recovery', 'a recovery', {
      browser: { parameters: [RETURN_TO], answers: { 400: refused } },
      native: { parameters: [SESSION_TOKEN], answers: { 400: refused } },
      submit: {
        summary: 'Asks for a message with a code or link, or brings what came with it.',
        parameters: [query('token', 'Secret of a link; also by GET.'), SESSION_TOKEN],
        answers: {
          200: json('The flow: the next screen, the same one after a wrong code, or its end.', 'recoveryFlow'),
          422: BROWSER_MUST_MOVE,
        },
      },
    }),
    {
      id: 'createRecoveryCodeForIdentity',
      method: 'post',
      path: '/admin/recovery/code',
      port: 'admin',
      summary: 'Makes a code for an operator to pass on to an owner who cannot sign in any more.',
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
      id: 'createRecoveryLinkForIdentity',
      method: 'post',
      path: '/admin/recovery/link',
      port: 'admin',
      summary: 'Makes a link that signs in the person who opens it.',
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
      continue_with: nullable(list(ref('continueWith'))),
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
