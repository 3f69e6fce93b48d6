import { HttpError } from '../../kernel/http/errors.ts'
import type { UiMessage } from '../types.ts'

const REACHED = 'A third-party upstream service responded improperly. Please try again later.'
const NOT_REACHED = 'A third-party upstream service could not be reached. Please try again later.'

/** The receiver's answer is not a success. */
export const hookAnsweredWith = (status: number, cause: Error) =>
  new HttpError(502, `webhook failed with status code ${status}`, { reason: REACHED, cause })

export const hookAnswerUnusable = (cause: Error) =>
  new HttpError(502, 'webhook answered with something that cannot be used', { reason: REACHED, cause })

export const hookUnreachable = (cause: Error) =>
  new HttpError(502, 'webhook could not be reached', { reason: NOT_REACHED, cause })

export const hookTimedOut = (cause: Error) =>
  new HttpError(504, 'webhook did not answer in time', { reason: NOT_REACHED, cause })

/** The body of the call could not be made. Kratos answers scripts with status 400, and says 500 in the body. */
export const hookMisconfigured = (cause: Error) =>
  new HttpError(500, 'webhook could not be called', {
    reason: 'The webhook is configured wrongly. The log of the server says how.',
    cause,
    shownStatus: 400,
  })

/** A hook before the flow refuses: there is no form yet to show its messages. */
export const startRefused = (messages: readonly UiMessage[]) =>
  new HttpError(400, 'the flow was refused', {
    id: 'self_service_flow_refused',
    reason: messages.map(({ text }) => text).join(' '),
    details: { messages },
  })
