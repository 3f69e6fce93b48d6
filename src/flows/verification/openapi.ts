import {
  COOKIE,
  type Description,
  error,
  formOrJsonBody,
  json,
  map,
  needed,
  OTHER_ERRORS,
  object,
  oneWord,
  query,
  SENT_ON,
  text,
} from '../../kernel/http/openapi/openapi.ts'
import { FLOW_GONE, FLOW_REFUSED, flowAnswers, flowMembers, RETURN_TO } from '../openapi.ts'

const flow = flowAnswers('verificationFlow')
const refused = error('Verification is switched off, or `return_to` is not allowed.')

export const verificationDescription: Description = {
  tag: 'verification',
  operations: [
    {
      ...{
        id: 'createBrowserVerificationFlow',
        method: 'get',
        path: '/self-service/verification/browser',
        port: 'public',
      },
      summary: 'Begins a verification in a browser.',
      parameters: [RETURN_TO],
      answers: { ...flow, 303: SENT_ON, 400: refused, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'createNativeVerificationFlow', method: 'get', path: '/self-service/verification/api', port: 'public' },
      summary: 'Begins a verification in an app.',
      parameters: [RETURN_TO],
      answers: { ...flow, 400: refused, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'getVerificationFlow', method: 'get', path: '/self-service/verification/flows', port: 'public' },
      summary: 'Shows a verification that was begun.',
      parameters: [needed(query('id', 'Id of the flow.')), COOKIE],
      answers: { ...flow, ...FLOW_REFUSED, ...OTHER_ERRORS },
    },
    {
      ...{ id: 'updateVerificationFlow', method: 'post', path: '/self-service/verification', port: 'public' },
      summary: 'Asks for a message with a code or link, or brings what came with it.',
      parameters: [
        needed(query('flow', 'Id of the flow.')),
        query('token', 'Secret of a link; by GET.'),
        query('code', 'Code of a message, by GET: it is filled in.'),
        COOKIE,
      ],
      body: formOrJsonBody('updateVerificationFlowBody'),
      answers: {
        200: json('The flow: the next screen, the same one after a wrong code, or its end.', 'verificationFlow'),
        303: SENT_ON,
        400: json('The flow, with what is wrong.', 'verificationFlow'),
        410: FLOW_GONE,
        ...OTHER_ERRORS,
      },
    },
  ],
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
