import { type AnswerExtras, flowHead, flowTail, oauth2Members, uiAnswer } from '../answer.ts'
import type { RegistrationFlow } from './types.ts'

/** A registration flow as clients see it. */
export function registrationAnswer(flow: RegistrationFlow, extras: AnswerExtras = {}) {
  return { ...flowHead(flow, null), ...oauth2Members(flow, extras), ui: uiAnswer(flow), ...flowTail(flow, extras) }
}
