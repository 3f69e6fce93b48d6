import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { sendError } from '../kernel/http/error-handler.ts'
import { badRequest, forbidden } from '../kernel/http/errors.ts'
import { isJsonRequest, isSpeculative } from '../kernel/http/negotiate.ts'
import { methodNotAllowed } from '../kernel/http/not-found.ts'
import { NO_STORE, submittedToken } from '../kernel/http/public-hooks.ts'
import { queryValue } from '../kernel/http/query.ts'
import { readLogoutBody, readNativeLogoutToken } from './body.ts'
import type { LogoutFlow, LogoutOutcome } from './flow.ts'
import { clearDeadCookies, type SignOutDeps, signOutBrowser } from './sign-out-browser.ts'

export type LogoutRouteDeps = SignOutDeps & { logout: LogoutFlow }

/** @see https://www.ory.com/docs/kratos/self-service/flows/user-logout */
export function logoutRoutes(d: LogoutRouteDeps): FastifyPluginAsync {
  return async (app) => {
    const options = { config: { errors: 'forward' as const } }
    app.get('/self-service/logout/browser', options, begin)
    // A GET that changes something must not be reachable by HEAD, which link checkers send.
    app.get('/self-service/logout', { ...options, exposeHeadRoute: false }, complete)
    app.post('/self-service/logout', { config: { errors: 'forward', csrf: 'own' } }, end)
    app.delete('/self-service/logout/api', { config: { csrf: 'exempt' } }, completeNative)
  }

  async function begin(req: FastifyRequest, reply: FastifyReply) {
    const request = { credentials: d.credentials.read(req), returnTo: queryValue(req, 'return_to') }
    const result = await d.logout.begin(request)
    return 'logout_url' in result ? result : finish(req, reply, result)
  }

  async function complete(req: FastifyRequest, reply: FastifyReply) {
    if (isSpeculative(req)) return sendError(speculative(), req, reply)
    const result = await d.logout.complete({
      credentials: d.credentials.read(req),
      token: queryValue(req, 'token'),
      returnTo: queryValue(req, 'return_to'),
    })
    return finish(req, reply, result)
  }

  async function end(req: FastifyRequest, reply: FastifyReply) {
    if (queryValue(req, 'token') !== '') return refuseTokenInUrl(req, reply)
    if (Object.keys(req.query as object).length > 0)
      throw badRequest('This request is made by its body: leave the query empty.')
    const body = await readLogoutBody(req)
    const result = await d.logout.end({
      credentials: d.credentials.read(req),
      scope: body.scope,
      sessionIds: body.session_ids,
      returnTo: body.return_to,
      confirm: ({ via }) => {
        // Other sites can make a browser send its cookies, but no header with a token.
        if (via === 'cookie') d.csrf.check(req, body.csrf_token || submittedToken(req))
      },
    })
    if (!isJsonRequest(req)) return finish(req, reply, result)
    leaveNothing(req, reply, result)
    return { revoked: result.revoked }
  }

  async function completeNative(req: FastifyRequest, reply: FastifyReply) {
    await d.logout.completeNative(readNativeLogoutToken(req))
    return reply.code(204).header('cache-control', NO_STORE).send()
  }

  function finish(req: FastifyRequest, reply: FastifyReply, result: LogoutOutcome) {
    leaveNothing(req, reply, result)
    return isJsonRequest(req) ? reply.code(204).send() : reply.redirect(result.to, 303)
  }

  /** Clears the cookie only if it was the credential, or names a session that has ended. */
  function leaveNothing(req: FastifyRequest, reply: FastifyReply, { signedOut }: LogoutOutcome) {
    if (signedOut === 'dead') clearDeadCookies(d, req, reply)
    else if (signedOut !== undefined) signOutBrowser(d, req, reply, signedOut === 'cookie')
  }

  /** The logout URL is for GET. Kratos refuses POST to it as well: a secret in a URL leaks into logs. */
  function refuseTokenInUrl(req: FastifyRequest, reply: FastifyReply) {
    d.csrf.check(req, submittedToken(req), { maskedOnly: true })
    return methodNotAllowed(reply, ['GET', 'HEAD'])
  }
}

/** Not a redirect: browsers keep the result of a prefetched link, but drop an error and ask again at the click. */
const speculative = () => forbidden('This link signs out and is not followed ahead of time. Open it to sign out.')
