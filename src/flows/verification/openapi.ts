import { type Description, error, json, map, object, oneWord, query, text } from '../../kernel/http/openapi/openapi.ts'
import { flowMembers, flowOperations, RETURN_TO } from '../openapi.ts'

const refused = error('Verification is switched off, or `return_to` is not allowed.')

export const verificationDescription: Description = {
  tag: 'verification',
  operations: flowOperations('verification', 'a verification', {
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
  schemas: {
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
