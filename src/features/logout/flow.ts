import { safeEqual } from '../../crypto/tokens.ts'
import { badRequest, forbidden, noActiveSession } from '../../http/errors.ts'
import type { SessionService } from '../sessions/service.ts'
import type { Credentials, Via } from '../sessions/types.ts'

export interface LogoutDeps {
  sessions: Pick<SessionService, 'resolve' | 'revoke' | 'revokeByToken' | 'logoutToken'>
  /** @throws 400 `self_service_flow_return_to_forbidden` */
  resolveReturnTo(requested: string): string
  /** the URL that ends a logout, with the token and the `return_to` to keep */
  logoutUrl(token: string, returnTo: string | undefined): string
}

export interface LogoutFlow {
  /** A logout URL for whoever asks. Changes nothing. @throws 401 `session_inactive`, 400 */
  begin(credentials: Credentials, returnTo: string): Promise<{ logout_url: string; logout_token: string }>
  /** Ends the session of whoever asks. @throws 400 without a token, 401, 403 for a token of another session */
  complete(input: { credentials: Credentials; token: string; returnTo: string }): Promise<{ to: string; via: Via }>
  /** Ends the session of a token. @throws 403 for an unknown token */
  completeNative(token: string): Promise<void>
}

/** The three ways out. Every check comes before the first write: who is refused has lost nothing. */
export function createLogoutFlow(d: LogoutDeps): LogoutFlow {
  return {
    async begin(credentials, returnTo) {
      const target = returnTo === '' ? undefined : d.resolveReturnTo(returnTo)
      const resolved = await d.sessions.resolve(credentials)
      if (!resolved) throw noActiveSession()
      const token = d.sessions.logoutToken(resolved.session)
      return { logout_url: d.logoutUrl(token, target), logout_token: token }
    },

    async complete({ credentials, token, returnTo }) {
      if (token === '') throw badRequest('Please include a token in the URL query.')
      const resolved = await d.sessions.resolve(credentials)
      if (!resolved) throw noActiveSession()
      if (!safeEqual(d.sessions.logoutToken(resolved.session), token)) throw foreignToken()
      const to = d.resolveReturnTo(returnTo)
      await d.sessions.revoke(resolved.session, 'logout')
      return { to, via: resolved.via }
    },

    async completeNative(token) {
      if (token === '' || !(await d.sessions.revokeByToken(token, 'logout'))) throw unknownToken()
    },
  }
}

const foreignToken = () =>
  forbidden('Unable to log out because the logout token in the URL query does not match the session cookie.')

const unknownToken = () =>
  forbidden('The provided Ory Session Token could not be found, is invalid, or otherwise malformed.')
