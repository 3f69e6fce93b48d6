import { STATUS_CODES } from 'node:http'
import { shortened } from '../base/text.ts'

/** Characters of a message and of a reason: many quote the request. */
const MAX_TOLD = 16_384

export interface HttpErrorBody {
  id?: string
  reason?: string
  details?: Record<string, unknown>
  /** members beside `error` at the top of the body, e.g. `redirect_browser_to` */
  extra?: Record<string, unknown>
  headers?: Record<string, string>
  /** status of the answer, where Kratos answers with another one than its body says */
  shownStatus?: number
  /** a browser is sent to the error page also by routes that answer it otherwise */
  forward?: boolean
  /** for the log only */
  cause?: unknown
}

/** An error with an answer. All of it may be shown to the client, except `cause`. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly id: string | undefined
  readonly reason: string | undefined
  readonly details: Record<string, unknown> | undefined
  readonly extra: Record<string, unknown> | undefined
  readonly headers: Record<string, string> | undefined
  readonly shownStatus: number
  readonly forward: boolean

  constructor(status: number, message: string, body: HttpErrorBody = {}) {
    super(shortened(message, MAX_TOLD), body.cause === undefined ? undefined : { cause: body.cause })
    this.status = status
    this.id = body.id
    this.reason = body.reason === undefined ? undefined : shortened(body.reason, MAX_TOLD)
    this.details = body.details
    this.extra = body.extra
    this.headers = body.headers
    this.shownStatus = body.shownStatus ?? status
    this.forward = body.forward ?? false
  }
}

const MESSAGES: Record<number, string> = {
  400: 'The request was malformed or contained invalid parameters',
  401: 'The request could not be authorized',
  403: 'The requested action was forbidden',
  404: 'The requested resource could not be found',
  409: 'The resource could not be created due to a conflict',
  500: 'An internal server error occurred, please contact the system administrator',
  503: 'The service is currently unavailable, please try again in a moment',
}

const of =
  (status: number) =>
  (reason?: string, body: HttpErrorBody = {}) =>
    new HttpError(status, MESSAGES[status]!, reason === undefined ? body : { ...body, reason })

export const badRequest = of(400)
export const unauthorized = of(401)
export const forbidden = of(403)
export const notFound = of(404)
export const conflict = of(409)
export const internalError = of(500)

export const bodyTooLarge = () => badRequest('http: request body too large')

/** The requested row does not exist. Kratos words it differently from other 404s. */
export const notLocated = () => new HttpError(404, 'Unable to locate the resource')

/** @param retryAfterSeconds how long a client should wait before its next try */
export const unavailable = (reason: string, cause?: unknown, retryAfterSeconds = 1) =>
  new HttpError(503, MESSAGES[503]!, { reason, cause, headers: { 'retry-after': String(retryAfterSeconds) } })

/** @param retryAfterSeconds until one more try is allowed */
export const tooManyAttempts = (retryAfterSeconds: number) =>
  new HttpError(429, 'too many failed attempts', {
    id: 'too_many_attempts',
    reason: `There were too many failed attempts. Try again in ${retryAfterSeconds} seconds.`,
    headers: { 'retry-after': String(retryAfterSeconds) },
  })

export const TOO_MANY_MESSAGES = 'too_many_messages'

/** @param retryAfterSeconds until one more message may go to the address */
export const tooManyMessages = (retryAfterSeconds: number) =>
  new HttpError(429, 'too many messages', {
    id: TOO_MANY_MESSAGES,
    reason: `Too many messages were asked for to this address. Use the last one, or try again in ${retryAfterSeconds} seconds.`,
    headers: { 'retry-after': String(retryAfterSeconds) },
  })

export const tooManyStreams = () =>
  new HttpError(429, 'too many streams', {
    id: 'too_many_streams',
    reason:
      'Too many streams of the sessions of this identity are open. Close one, or share one among the pages of a browser.',
    headers: { 'retry-after': '5' },
  })

export const noActiveSession = () =>
  new HttpError(401, 'request does not have a valid authentication session', {
    id: 'session_inactive',
    reason: 'No active session was found in this request.',
  })

export const returnToForbidden = (url: string) =>
  badRequest(`Requested return_to URL ${JSON.stringify(url)} is not allowed.`, {
    id: 'self_service_flow_return_to_forbidden',
  })

export const aal2Required = (redirectTo: string) =>
  new HttpError(403, 'Session does not fulfill the requested Authenticator Assurance Level', {
    id: 'session_aal2_required',
    reason:
      'An active session was found but it does not fulfill the requested Authenticator Assurance Level. Please verify yourself with a second factor to resolve this issue.',
    details: { redirect_browser_to: redirectTo },
    extra: { redirect_browser_to: redirectTo },
  })

/** The caller only needs to sign in again, at `redirectTo`. */
export const freshProofRequired = (redirectTo: string) =>
  forbidden('The session is too old. Please sign in again.', {
    id: 'session_refresh_required',
    extra: { redirect_browser_to: redirectTo },
  })

export interface ErrorAnswer {
  id?: string
  code: number
  status: string
  request?: string
  reason?: string
  details?: Record<string, unknown>
  message: string
}

/** The `error` member of an answer and of an error container. */
export function errorAnswer(error: HttpError, request?: string): ErrorAnswer {
  return {
    ...(error.id === undefined ? {} : { id: error.id }),
    code: error.status,
    status: STATUS_CODES[error.status] ?? 'Error',
    ...(request === undefined ? {} : { request }),
    ...(error.reason === undefined ? {} : { reason: error.reason }),
    ...(error.details === undefined ? {} : { details: error.details }),
    message: error.message,
  }
}
