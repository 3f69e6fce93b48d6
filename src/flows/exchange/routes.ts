import type { FastifyPluginAsync } from 'fastify'
import { badRequest } from '../../kernel/http/errors.ts'
import { queryValue } from '../../kernel/http/query.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { TokenExchange } from './service.ts'

export interface TokenExchangeRouteDeps {
  tokenExchange: TokenExchange
  sessions: Pick<SessionService, 'answer' | 'lacksSecondFactor'>
}

const PATH = '/sessions/token-exchange'

/** @see Kratos exchangeSessionToken */
export function tokenExchangeRoutes(d: TokenExchangeRouteDeps): FastifyPluginAsync {
  return async (app) => {
    const config = { csrf: 'exempt' as const }
    // HEAD must not use up the codes.
    app.head(PATH, { config }, (_, reply) => reply.code(204).send())
    app.get(PATH, { config, exposeHeadRoute: false }, async (req) => {
      const [initCode, returnToCode] = [queryValue(req, 'init_code'), queryValue(req, 'return_to_code')]
      if (initCode === '' || returnToCode === '') {
        throw badRequest('"init_code" and "return_to_code" query params must be set')
      }
      const { session, token } = await d.tokenExchange.exchange(initCode, returnToCode)
      const answer = d.sessions.answer(session)
      // As at a login: the identity is hidden while its second factor is missing.
      if (d.sessions.lacksSecondFactor(session)) answer.identity = null
      // Kratos lists no devices here, as recorded.
      return { session_token: token, session: { ...answer, devices: [] } }
    })
  }
}
