import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { stringifyJson } from '../base/exact-json.ts'
import { placeOf } from '../base/request-words.ts'
import { HashingBusy } from '../crypto/passwords/passwords.ts'
import { CommitUnknown, Conflict, StoreUnavailable } from '../db/client.ts'
import {
  bodyTooLarge,
  conflict,
  type ErrorAnswer,
  errorAnswer,
  HttpError,
  internalError,
  unavailable,
} from './errors.ts'
import { isJsonRequest } from './negotiate.ts'
import { withQuery } from './query.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * How a browser sees a failure of this route; scripts always get JSON, and browsers too when it is absent.
     * - `forward`: it is sent to the error page
     * - `page`: a page at once
     */
    errors?: 'forward' | 'page'
  }
}

export interface ErrorHandlerDeps {
  config(): Config
  /** Stores an error for the error page and returns its id. */
  storeError(error: ErrorAnswer, csrfToken: string): Promise<string>
  csrfToken(req: FastifyRequest): string
  /** A page that needs neither the store nor the error page, for when these fail. */
  errorPage?(error: HttpError, req: FastifyRequest): { headers: Record<string, string>; body: string }
}

/** Errors to try again after, and too frequent to store: a flood of them must not become a flood of writes. */
const NOT_STORED = new Set([429, 503])

/** The only place where errors become answers. */
export function createErrorHandler(d: ErrorHandlerDeps) {
  return async function handleError(thrown: FastifyError | Error, req: FastifyRequest, reply: FastifyReply) {
    const error = toHttpError(thrown)
    logError(error, thrown, req)
    const errors = error.forward ? 'forward' : req.routeOptions.config.errors
    if (errors === undefined || isJsonRequest(req)) return sendError(error, req, reply)
    // What the caller has to do first is known by the redirect.
    const first = error.status === 403 ? error.extra?.redirect_browser_to : undefined
    if (errors === 'forward' && typeof first === 'string') return reply.redirect(first, 303)
    if (errors === 'forward' && !NOT_STORED.has(error.status)) {
      const to = await forwardUrl(d, error, req).catch((cause) => {
        req.log.error({ err: cause }, 'the error could not be stored for the error page')
        return undefined
      })
      if (to !== undefined) return reply.redirect(to, 303)
    }
    const page = d.errorPage?.(error, req)
    return page ? reply.code(error.status).headers(page.headers).send(page.body) : sendError(error, req, reply)
  }
}

async function forwardUrl(d: ErrorHandlerDeps, error: HttpError, req: FastifyRequest): Promise<string> {
  const id = await d.storeError(errorAnswer(error, givenRequestId(req)), d.csrfToken(req))
  return withQuery(d.config().selfservice.flows.error.ui_url, { id })
}

export function sendError(error: HttpError, req: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Without an id from the client, only our failures carry one: it leads to the log line with the cause.
  const request = givenRequestId(req) ?? (error.status >= 500 ? req.id : undefined)
  return reply
    .code(error.shownStatus)
    .headers({ 'ory-error-id': error.id ?? '', ...error.headers })
    .header('content-type', 'application/json')
    .serializer((body: unknown) => `${stringifyJson(body)}\n`)
    .send({ error: errorAnswer(error, request), ...error.extra })
}

function givenRequestId(req: FastifyRequest): string | undefined {
  return req.headers['x-request-id'] === undefined ? undefined : req.id
}

const UNKNOWN = 'The session store did not answer in time, so whether the change was made is not known. Ask again.'

function toHttpError(thrown: FastifyError | Error): HttpError {
  if (thrown instanceof HttpError) return thrown
  if (thrown instanceof CommitUnknown) return unavailable(UNKNOWN, thrown)
  if (thrown instanceof StoreUnavailable) return unavailable('The session store did not answer in time.', thrown)
  if (thrown instanceof Conflict) return conflict(undefined, { cause: thrown })
  if (thrown instanceof HashingBusy) return unavailable('Too many sign-ins at once.', thrown, thrown.retryAfterSeconds)
  const code = 'code' in thrown ? thrown.code : undefined
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge()
  const status = 'statusCode' in thrown ? (thrown.statusCode ?? 500) : 500
  // Fastify's own 4xx: bad URL, bad length. Their texts reveal nothing of ours.
  if (status >= 400 && status < 500) return new HttpError(status, thrown.message, { reason: thrown.message })
  return internalError(undefined, { cause: thrown })
}

function logError(error: HttpError, thrown: Error, req: FastifyRequest): void {
  // Refused under load: no cause to log, and writing a stack costs too much.
  const shed = error.status === 503 && error.cause === undefined
  if (error.status >= 500 && !shed) req.log.error({ err: error.cause ?? thrown }, 'request failed')
  else req.log.info({ error: { status: error.status, id: error.id, ...whereRefused(error) } }, 'request refused')
}

/** Not the reason: many quote what the client sent. An id is enough, and saves the cost of a stack. */
function whereRefused(error: HttpError): { at?: string | undefined } {
  return error.id === undefined && error.status !== 401 && error.status !== 503 ? { at: placeOf(error) } : {}
}
