import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config/schema/schema.ts'
import type { Timestamp } from '../kernel/base/clock.ts'
import { sameCsrf } from '../kernel/crypto/csrf.ts'
import { formBody } from '../kernel/http/body.ts'
import { cookieValues, KNOWN_BROWSER_COOKIE } from '../kernel/http/cookies.ts'
import type { Csrf } from '../kernel/http/csrf.ts'
import { sendError } from '../kernel/http/error-handler.ts'
import { badRequest, HttpError } from '../kernel/http/errors.ts'
import { isJsonRequest } from '../kernel/http/negotiate.ts'
import type { SessionCredentials } from '../sessions/http/credentials.ts'
import { deviceFacts } from '../sessions/http/device.ts'
import { locationChangeRequired } from './errors.ts'
import { requestFacts } from './hooks/request-facts.ts'
import type { FlowKind } from './kinds.ts'
import { nodeValues } from './nodes.ts'
import type { Caller, Flow, SubmittedForm } from './types.ts'
import { type FlowUrls, requestQuery } from './urls.ts'

export interface CallerDeps {
  csrf: Csrf
  credentials: SessionCredentials
  /** false: native flows may be submitted by browsers too, for developing an app in a browser. Unsafe anywhere else. */
  enforceNativeFlows: boolean
  config(): Config
}

/** Answers with the outcome of a flow. */
export type Respond<O> = (req: FastifyRequest, reply: FastifyReply, caller: Caller, outcome: O) => unknown

/**
 * The facts of a request that flows need.
 * @param bodies methods that bring a form, as the refusal of GET names them
 */
export function callerOf(req: FastifyRequest, d: CallerDeps, bodies = 'POST PUT PATCH'): Caller {
  let form: Promise<SubmittedForm> | undefined
  return {
    scripted: isJsonRequest(req),
    credentials: d.credentials.read(req),
    device: deviceFacts(req),
    client: req.client,
    knownBrowser: cookieValues(req, KNOWN_BROWSER_COOKIE)[0],
    form: () => {
      form ??= readForm(req, bodies)
      return form
    },
    checkCsrf: (token) => d.csrf.check(req, token),
    csrfToken: () => d.csrf.token(req),
    facts: () => requestFacts(req, d.config()),
    browserHeader: d.enforceNativeFlows ? browserHeader(req) : undefined,
  }
}

/**
 * Who has signed in again in another tab has a new anti-CSRF cookie, which the form of this tab does not know: nothing is
 * done, and the browser is led to a new form. Scripts are told.
 */
export function leadingOn(caller: Caller, kind: FlowKind, urls: FlowUrls): Caller {
  return {
    ...caller,
    checkCsrf(token, flow) {
      try {
        caller.checkCsrf(token)
      } catch (error) {
        const signedIn = !caller.scripted && caller.credentials.cookieTokens.length > 0
        if (!flow || !signedIn || !(error instanceof HttpError) || !belongs(token, flow)) throw error
        const to = urls.init(kind, 'browser', requestQuery(flow.request_url).get('return_to') ?? '')
        throw new HttpError(error.status, error.message, { id: error.id ?? '', extra: { redirect_browser_to: to } })
      }
    },
  }
}

const belongs = (token: string, { ui }: Pick<Flow, 'ui'>) =>
  sameCsrf(String(nodeValues(ui.nodes).get('csrf_token') ?? ''), token)

async function readForm(req: FastifyRequest, bodies: string): Promise<SubmittedForm> {
  if (req.method === 'GET') {
    throw badRequest(`Unable to decode body because HTTP Request Method was "GET" but only [${bodies}] are supported.`)
  }
  const { kind, value } = await formBody(req)
  return { kind, values: value, limits: req.server.bodyLimits.json } as SubmittedForm
}

/** Cookies of these names come from a CDN in front; native apps cannot avoid them. */
const CDN_COOKIE = /^(__cf|_cf|cf_)/

function browserHeader(req: FastifyRequest): Caller['browserHeader'] {
  if ((req.headers.origin ?? '') !== '') return 'Origin'
  const names = (req.headers.cookie ?? '').split(';').flatMap((pair) => (pair.includes('=') ? [pair.trim()] : []))
  return names.some((name) => !CDN_COOKIE.test(name)) ? 'Cookie' : undefined
}

/** Sets a browser's session cookie; with `fresh` also a new anti-CSRF cookie, since the old one may be another person's. */
export function signInBrowser(
  req: FastifyRequest,
  reply: FastifyReply,
  d: Pick<CallerDeps, 'csrf' | 'credentials'>,
  session: { token: string; expiresAt: Timestamp; fresh: boolean },
): void {
  if (session.fresh) d.csrf.renew(req, reply)
  d.credentials.leaveNoTwins(req, reply)
  d.credentials.write(req, reply, session)
}

/** `continue_with` for a script in a browser. */
export const redirectBrowserTo = (to: string) => [{ action: 'redirect_browser_to', redirect_browser_to: to }]

/** Redirects a browser; a script gets the address, since it cannot follow by itself. */
export function sendTo(to: string, readsJson: boolean, req: FastifyRequest, reply: FastifyReply) {
  return readsJson ? sendError(locationChangeRequired(to), req, reply) : reply.redirect(to, 303)
}
