import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { jsonBody } from '../../http/body.ts'
import type { Csrf } from '../../http/csrf.ts'
import { badRequest } from '../../http/errors.ts'
import { isJsonRequest } from '../../http/negotiate.ts'
import { NO_STORE } from '../../http/public-hooks.ts'
import { queryValue } from '../../http/query.ts'
import type { SessionCredentials } from '../../http/session-credentials.ts'
import type { LogoutFlow } from './flow.ts'

export interface LogoutRouteDeps {
  logout: LogoutFlow
  credentials: SessionCredentials
  csrf: Csrf
}

const nativeLogoutBody = z.object({ session_token: z.string().nullish() })

/** @see https://www.ory.com/docs/kratos/self-service/flows/user-logout */
export function logoutRoutes(d: LogoutRouteDeps): FastifyPluginAsync {
  return async (app) => {
    const options = { config: { errors: 'forward' as const } }
    app.get('/self-service/logout/browser', options, begin)
    // A GET that changes something must not be reachable by HEAD, which link checkers send.
    app.get('/self-service/logout', { ...options, exposeHeadRoute: false }, complete)
    app.delete('/self-service/logout/api', completeNative)
  }

  function begin(req: FastifyRequest) {
    return d.logout.begin(d.credentials.read(req), queryValue(req, 'return_to'))
  }

  async function complete(req: FastifyRequest, reply: FastifyReply) {
    const { to, via } = await d.logout.complete({
      credentials: d.credentials.read(req),
      token: queryValue(req, 'token'),
      returnTo: queryValue(req, 'return_to'),
    })
    // Only a cookie that was the credential is the browser's own to lose.
    if (via === 'cookie') d.credentials.clear(reply)
    d.csrf.renew(req, reply)
    return isJsonRequest(req) ? reply.code(204).send() : reply.redirect(to, 303)
  }

  async function completeNative(req: FastifyRequest, reply: FastifyReply) {
    const body = nativeLogoutBody.safeParse(jsonBody(req))
    if (!body.success) throw badRequest('Unable to decode JSON payload: "session_token" must be a string.')
    await d.logout.completeNative(body.data.session_token ?? '')
    return reply.code(204).header('cache-control', NO_STORE).send()
  }
}
