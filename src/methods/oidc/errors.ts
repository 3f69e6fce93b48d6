import { shortened } from '../../kernel/base/text.ts'
import { badRequest, HttpError } from '../../kernel/http/errors.ts'

/** The provider cannot be used with its configuration. */
export const invalidConfiguration = (reason: string, cause?: unknown) =>
  new HttpError(500, 'Invalid configuration', { id: 'invalid_configuration', reason, cause })

export const notInitialized = (error: unknown) =>
  invalidConfiguration(`Unable to initialize OpenID Connect Provider: ${textOf(error)}`, error)

/** The provider's answer is not the expected one. */
export const upstreamError = (reason: string, cause?: unknown) =>
  new HttpError(502, 'Upstream error', { id: 'upstream_error', reason, cause })

/** What the provider says cannot be trusted; shown in the form. */
export const untrustworthy = (error: unknown) => badRequest(textOf(error), { cause: error })

/** It was used before, has expired, or was given for another sign-in; shown in the form. */
export const codeRefused = () =>
  badRequest(
    'Unable to complete OpenID Connect flow because the OpenID Provider did not accept the code. Please sign in again.',
  )

export const idTokenMissing = () =>
  badRequest(
    'Authentication failed because no id_token was returned. Please accept the "openid" permission and try again.',
  )

export const scopeMissing = () =>
  badRequest(
    'Unable to finish because one or more permissions were not granted. Please retry and accept all permissions.',
  )

/** Texts of other servers: bounded, and without control characters. */
const MAX_TOLD = 500
const textOf = (error: unknown) =>
  shortened(error instanceof Error ? error.message : String(error), MAX_TOLD).replace(/\p{Cc}/gu, ' ')
