import {
  type Description,
  error,
  inPath,
  json,
  jsonBody,
  map,
  OTHER_ERRORS,
  object,
  oneWord,
  query,
  text,
  time,
  uuid,
} from '../../kernel/http/openapi/openapi.ts'
import { flowMembers, flowOperations, RETURN_TO } from '../openapi.ts'

const refused = error('Verification is switched off, or `return_to` is not allowed.')

export const verificationDescription: Description = {
  tag: 'verification',
  operations: [
    ...flowOperations('verification', 'a verification', {
      browser: { parameters: [RETURN_TO], answers: { 400: refused } },
      native: { parameters: [RETURN_TO], answers: { 400: refused } },
      submit: {
        summary: 'Asks for a message with a code or link, or brings what came with it.',
        parameters: [
          query('token', 'Secret of a link; by GET.'),
          query('code', 'Code of a message, by GET: it is filled in.'),
        ],
        answers: {
          200: json('The flow: the next screen, the same one after a wrong code, or its end.', 'verificationFlow'),
        },
      },
    }),
    {
      id: 'sendVerificationAgain',
      method: 'post',
      path: '/admin/identities/{id}/verification',
      port: 'admin',
      summary:
        'Sends another message to verify an address, to a person who did not get the first. Kratos has no such call.',
      parameters: [inPath('id', 'Id of the identity.', uuid), RETURN_TO],
      body: jsonBody('sendVerificationAgainBody', false),
      answers: {
        201: json(
          'The message that was queued, and the flow that its code or link belongs to.',
          'verificationSentAgain',
        ),
        400: error('Verification is switched off, several addresses may be meant, or the body cannot be read.'),
        404: error('There is no such identity, or it has no such address.'),
        409: error('The address is verified already.'),
        429: error('The address has got as many messages as `lethe.limits.messages` allows.'),
        ...OTHER_ERRORS,
      },
    },
  ],
  schemas: {
    sendVerificationAgainBody: object({}, { address: text }),
    verificationSentAgain: object({ message_id: uuid, flow_id: uuid, expires_at: time, via: text, address: text }),
    verificationFlow: object(flowMembers.required, flowMembers.optional),
    updateVerificationFlowBody: object(
      {},
      {
        method: oneWord('code', 'link'),
        email: text,
        code: text,
        csrf_token: text,
        transient_payload: map,
      },
    ),
  },
}
