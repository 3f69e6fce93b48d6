import {
  badRequest,
  conflict,
  forbidden,
  HttpError,
  noActiveSession,
  notFound,
  unauthorized,
} from '../kernel/http/errors.ts'
import type { FlowKind } from './kinds.ts'
import { minutes } from './messages.ts'
import type { Expired, Flow } from './types.ts'
import { type FlowUrls, requestedReturnTo } from './urls.ts'

export const flowIdMissing = () => badRequest('The flow query parameter is missing or malformed.')

const EXPIRED = 'self_service_flow_expired'

/** Reading an expired flow. Tells where to begin a new one. */
export function flowExpired(kind: FlowKind, flow: Pick<Flow, 'type' | 'request_url'>, urls: FlowUrls): HttpError {
  const returnTo = requestedReturnTo(flow.request_url)
  const browser = flow.type === 'browser'
  const [advice, details] = browser
    ? [
        `Redirect the user to the ${kind} flow init endpoint`,
        { redirect_to: urls.init(kind, 'browser', returnTo), return_to: returnTo },
      ]
    : [`Call the ${kind} flow init API endpoint`, { api: urls.init(kind, 'api', '') }]
  return new HttpError(
    410,
    'The requested resource is no longer available because it has expired or is otherwise invalid.',
    {
      id: EXPIRED,
      reason: `The ${kind} flow has expired. ${advice} to initialize a new ${kind} flow.`,
      details,
    },
  )
}

/** A verification that cannot be used any more: another one replaces it. @param finished whether it was completed */
export const verificationReplaced = (replacement: { id: string }, finished: boolean) =>
  new HttpError(410, 'self-service flow replaced', {
    id: 'self_service_flow_replaced',
    reason: `An error occured, please ${finished ? 'use the new' : 'retry the'} flow.`,
    extra: { use_flow_id: replacement.id },
  })

/** Submitting an expired flow: another one replaces it, with a message about what happened. */
export function flowReplaced(
  { at, since }: Expired,
  replacement: { id: string },
  details?: Record<string, unknown>,
): HttpError {
  return new HttpError(410, 'self-service flow expired', {
    id: EXPIRED,
    ...(details && { details }),
    reason: `The self-service flow expired ${minutes(since)} minutes ago, initialize a new one.`,
    // Kratos counts nanoseconds here.
    extra: { expired_at: at, since: since * 1000, use_flow_id: replacement.id },
  })
}

/** A provider sends the browser back to an expired flow. None replaces it: the callback was for this one. */
export const flowExpiredMeanwhile = ({ at, since }: Expired) =>
  new HttpError(410, 'self-service flow expired', {
    id: EXPIRED,
    reason: `The self-service flow expired ${minutes(since)} minutes ago, initialize a new one.`,
    extra: { expired_at: at, since: since * 1000 },
  })

const SIGNED_IN: Record<'login' | 'registration', string> = {
  login: 'A valid session was detected and thus login is not possible. Did you forget to set `?refresh=true`?',
  registration: 'A valid session was detected and thus registration is not possible.',
}

export const signedInAlready = (kind: 'login' | 'registration') =>
  new HttpError(400, 'you are already logged in', { id: 'session_already_available', reason: SIGNED_IN[kind] })

/** The account came to exist, or was deleted, during the request. */
export const changedMeanwhile = () => conflict('The account came to be, or went, in this moment. Try again.')

export const recoveryNeedsNobody = () =>
  badRequest('A valid session was detected and thus recovery is not possible.', { id: 'session_already_available' })

export const secondFactorNeedsSession = () =>
  new HttpError(401, 'aal2 and aal3 can only be requested if a session exists already', {
    id: 'session_aal1_required',
    reason: 'You can not requested a higher AAL (AAL2/AAL3) without an active session.',
  })

export const identityDisabled = (identityId: string) =>
  new HttpError(401, 'identity is disabled', {
    reason: 'This account was disabled.',
    details: { identity_id: identityId },
  })

/** Kratos answers 403 and says 400 in the body. @param continueWith how to go on, if a message was sent */
export const addressUnverified = (continueWith: readonly object[]) =>
  new HttpError(400, 'your email or phone address is not yet verified', {
    id: 'session_verified_address_required',
    reason:
      "Your account's email or phone address are not verified yet. Please check your email or phone inbox or re-request verification.",
    ...(continueWith.length === 0 ? {} : { details: { continue_with: continueWith } }),
    shownStatus: 403,
  })

/** The form names a method that is switched off. */
export const methodDisabled = () =>
  notFound(
    'This endpoint was disabled by system administrator. Please check your url or contact the system administrator to enable it.',
  )

export const registrationDisabled = (options: { forward?: boolean } = {}) =>
  new HttpError(400, 'registration flow disabled', {
    ...options,
    id: 'self_service_flow_disabled',
    reason: 'Registration is not allowed because it was disabled.',
  })

/** A script cannot continue by itself: its browser has to open this address. */
export const locationChangeRequired = (to: string) =>
  new HttpError(422, 'browser location change required', {
    id: 'browser_location_change_required',
    reason: `In order to complete this flow please redirect the browser to: ${to}`,
    extra: { redirect_browser_to: to },
  })

export const sessionRequired = () => {
  const reason = 'This endpoint can only be accessed with a valid session. Please log in and try again.'
  return new HttpError(401, noActiveSession().message, { id: 'session_inactive', reason })
}

/** At the start of settings Kratos tells a member more. */
export const nobodySignedIn = () => {
  const { status, message, id = '', reason = '' } = noActiveSession()
  return new HttpError(status, message, { id, reason, extra: { CredentialsMissing: false } })
}

export const sessionMissing = () => unauthorized('A valid Ory Session Cookie or Ory Session Token is missing.')

const BROWSER_SIGNS = {
  Cookie: 'this request was made by a Browser',
  Origin: 'this request was made as part of an AJAX request in a Browser',
}

/** Native flows have no anti-CSRF token, so a request that looks like a browser's must not use one. */
export const nativeFlowInBrowser = (header: 'Cookie' | 'Origin') =>
  badRequest(
    `The HTTP Request Header included the "${header}" key, indicating that ${BROWSER_SIGNS[header]}. The flow however was initiated as an API request. To prevent potential misuse and mitigate several attack vectors including CSRF, the request has been blocked. Please consult the documentation.`,
  )

export const schemaUnknown = (id: string) =>
  badRequest(`Requested identity schema ${JSON.stringify(id)} does not exist.`)

export const schemaNotSelectable = (id: string) =>
  badRequest(`Requested identity schema ${JSON.stringify(id)} is not enabled for self-service flows.`)

export const initiatedByOther = () =>
  forbidden(
    'The request was initiated by someone else and has been blocked for security reasons. Please go back and try again.',
    {
      id: 'security_identity_mismatch',
    },
  )

/** A signed-in caller asks for the settings of another identity. */
export const identityMismatch = () =>
  forbidden('The request was made for another identity and has been blocked for security reasons.', {
    id: 'security_identity_mismatch',
  })

/** The session is too old for the change. @param at where to sign in again */
export const refreshRequired = (at: string) =>
  forbidden('The login session is too old and thus not allowed to update these fields. Please re-authenticate.', {
    id: 'session_refresh_required',
    extra: { redirect_browser_to: at },
  })
