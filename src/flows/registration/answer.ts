import { type AnswerExtras, flowHead, flowTail, uiAnswer } from '../answer.ts'
import type { RegistrationFlow } from './types.ts'

/** A registration flow as clients see it. */
export function registrationAnswer(flow: RegistrationFlow, extras: AnswerExtras = {}) {
  return { ...flowHead(flow), ui: uiAnswer(flow), ...flowTail(flow, extras) }
}
