import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config/schema.ts'
import { HashingBusy } from '../crypto/passwords.ts'
import { Conflict, StoreUnavailable } from '../db/client.ts'
import { badRequest, conflict, type ErrorAnswer, errorAnswer, HttpError, internalError, unavailable } from './errors.ts'
import { acceptsJson, isJsonRequest } from './negotiate.ts'
import { withQuery } from './query.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `forward`: a browser that fails here is sent to the error page; else the answer is always JSON */
    errors?: 'forward'
  }
}

export interface ErrorHandlerDeps {
  config(): Config
  /** Stores an error for the error page and gives its id. */
  storeError(error: ErrorAnswer, csrfToken: string): Promise<string>
  csrfToken(req: FastifyRequest): string
}

/** The only place where errors become answers. */
export function createErrorHandler(d: ErrorHandlerDeps) {
  return async function handleError(thrown: FastifyError | Error, req: FastifyRequest, reply: FastifyReply) {
    const error = toHttpError(thrown)
    logError(error, thrown, req)
    if (req.routeOptions.config.errors === 'forward' && !isJsonRequest(req) && error.status !== 503) {
      const to = await forwardUrl(d, error, req).catch((cause) => {
        req.log.error({ err: cause }, 'the error could not be stored for the error page')
        return undefined
      })
      if (to !== undefined && !acceptsJson(req)) return reply.redirect(to, 303)
    }
    return sendError(error, req, reply)
  }
}

async function forwardUrl(d: ErrorHandlerDeps, error: HttpError, req: FastifyRequest): Promise<string> {
  const id = await d.storeError(errorAnswer(error, givenRequestId(req)), d.csrfToken(req))
  return withQuery(d.config().selfservice.flows.error.ui_url, { id })
}

export function sendError(error: HttpError, req: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Without the client's own id, only failures of ours carry one: it leads to the log line with the cause.
  const request = givenRequestId(req) ?? (error.status >= 500 ? req.id : undefined)
  return reply
    .code(error.status)
    .headers({ 'ory-error-id': error.id ?? '', ...error.headers })
    .header('content-type', 'application/json')
    .serializer((body: unknown) => `${JSON.stringify(body)}\n`)
    .send({ error: errorAnswer(error, request), ...error.extra })
}

function givenRequestId(req: FastifyRequest): string | undefined {
  return req.headers['x-request-id'] === undefined ? undefined : req.id
}

function toHttpError(thrown: FastifyError | Error): HttpError {
  if (thrown instanceof HttpError) return thrown
  if (thrown instanceof StoreUnavailable) return unavailable('The session store did not answer in time.', thrown)
  if (thrown instanceof Conflict) return conflict(undefined, { cause: thrown })
  if (thrown instanceof HashingBusy) return unavailable('Too many sign-ins at once.', thrown, thrown.retryAfterSeconds)
  const code = 'code' in thrown ? thrown.code : undefined
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return badRequest('http: request body too large')
  const status = 'statusCode' in thrown ? (thrown.statusCode ?? 500) : 500
  // Fastify's own 4xx: bad URL, bad length. Their texts name nothing of ours.
  if (status >= 400 && status < 500) return new HttpError(status, thrown.message, { reason: thrown.message })
  return internalError(undefined, { cause: thrown })
}

function logError(error: HttpError, thrown: Error, req: FastifyRequest): void {
  if (error.status >= 500) req.log.error({ err: error.cause ?? thrown }, 'request failed')
  else req.log.info({ error: { status: error.status, id: error.id, reason: safeReason(error) } }, 'request refused')
}

/** Reasons may quote what the client sent; a quoted word of token length is left out of the log. */
function safeReason(error: HttpError): string | undefined {
  return error.reason?.replace(/\bory_(st|lo)_\w+/g, '[redacted]')
}
