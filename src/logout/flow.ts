import { safeEqual } from '../kernel/crypto/tokens.ts'
import { badRequest, forbidden, noActiveSession } from '../kernel/http/errors.ts'
import type { SessionService } from '../sessions/service.ts'
import type { Checked, Credentials, Session } from '../sessions/types.ts'

export interface LogoutDeps {
  sessions: Pick<SessionService, 'allLeft' | 'anyLeft' | 'revoke' | 'revokeByToken' | 'revokeBy' | 'logoutToken'>
  /** @throws 400 `self_service_flow_return_to_forbidden` */
  resolveReturnTo(requested: string): string
  /** the URL that ends a logout, with the token and the `return_to` to keep */
  logoutUrl(token: string, returnTo: string | undefined): string
  /** `lethe.logout.dead_session`: whether a logout of an ended session succeeds */
  deadSessionSucceeds(): boolean
}

/** What a logout did. `signedOut` says which credential named the session that has ended; undefined when it has not. */
export interface LogoutOutcome {
  to: string
  revoked: string[]
  signedOut: 'header' | 'cookie' | 'bearer' | 'dead' | undefined
}

export type LogoutScope = 'current' | 'others' | 'all'

export interface LogoutRequest {
  credentials: Credentials
  returnTo: string
}

export interface LogoutFlow {
  /** Makes a logout URL for the caller. Changes nothing. @throws 401 `session_inactive`, 400 */
  begin(request: LogoutRequest): Promise<{ logout_url: string; logout_token: string } | LogoutOutcome>
  /** Ends the caller's session. @throws 400 without a token, 401, 403 for a token of another session */
  complete(request: LogoutRequest & { token: string }): Promise<LogoutOutcome>
  /** Ends the session of a token. @throws 403 for an unknown token */
  completeNative(token: string): Promise<void>
  /**
   * Ends those of the caller's own sessions that `scope` or `sessionIds` name. A session that has ended already counts as ended.
   * @param confirm throws when the request was forged, that is, not meant by the holder of the session
   */
  end(
    request: LogoutRequest & {
      scope: LogoutScope
      sessionIds: string[] | undefined
      confirm(caller: Pick<Checked, 'via'>): void
    },
  ): Promise<LogoutOutcome>
}

/** Every check comes before the first write: a request that is refused has changed nothing. */
export function createLogoutFlow(d: LogoutDeps): LogoutFlow {
  /**
   * The caller's session has ended, so a logout succeeds (`lethe.logout.dead_session`). Not if the request also carries the
   * credential of a live session: the ended one takes precedence over it, so it would stay live after "signed out".
   * @throws 401
   */
  async function alreadyOut({ credentials, returnTo }: LogoutRequest): Promise<LogoutOutcome> {
    const to = d.resolveReturnTo(returnTo)
    if (await d.sessions.anyLeft(credentials)) throw noActiveSession()
    return { to, revoked: [], signedOut: 'dead' }
  }

  /**
   * Clearing a cookie clears every cookie of its name, so the session of each of them ends. Otherwise a cookie planted by a
   * sibling domain would be ended in place of the caller's own session, whose cookie is cleared all the same.
   */
  async function endEach(left: Checked[]): Promise<string[]> {
    await Promise.all(left.map(({ session }) => d.sessions.revoke(session, 'logout')))
    return left.map(({ session }) => session.id)
  }

  /**
   * The caller's sessions that a logout has to end. A session of a disabled identity is refused now, but counts again once the
   * identity is enabled: where logging out of an ended session succeeds, it must be ended too.
   * @throws 401
   */
  async function find(credentials: Credentials): Promise<Checked[]> {
    const left = await d.sessions.allLeft(credentials)
    if (left[0]?.session.state !== 'active' && !d.deadSessionSucceeds()) throw noActiveSession()
    return left
  }

  return {
    async begin({ credentials, returnTo }) {
      const [checked] = await find(credentials)
      if (!checked) return alreadyOut({ credentials, returnTo })
      const target = returnTo === '' ? undefined : d.resolveReturnTo(returnTo)
      const token = d.sessions.logoutToken(checked.session)
      return { logout_url: d.logoutUrl(token, target), logout_token: token }
    },

    async complete({ credentials, token, returnTo }) {
      if (token === '') throw badRequest('Please include a token in the URL query.')
      const left = await find(credentials)
      const [first] = left
      if (!first) return alreadyOut({ credentials, returnTo })
      const meant = left.find(({ session }) => safeEqual(d.sessions.logoutToken(session), token))
      if (!meant) throw foreignToken()
      const to = d.resolveReturnTo(returnTo)
      // The session of the token last: if this fails half-way, the same token can be used to try again.
      const besides = await endEach(left.filter((other) => other !== meant))
      return { to, revoked: [...(await endEach([meant])), ...besides], signedOut: first.via }
    },

    async completeNative(token) {
      if (token === '' || !(await d.sessions.revokeByToken(token, 'logout'))) throw unknownToken()
    },

    async end({ credentials, scope, sessionIds, returnTo, confirm }) {
      const to = d.resolveReturnTo(returnTo)
      const [first, ...others] = await d.sessions.allLeft(credentials)
      if (!first) return alreadyOut({ credentials, returnTo })
      confirm(first)
      const { session, via } = first
      const meant = isMeant(session, scope, sessionIds)
      const which = { ...(sessionIds ? { only: sessionIds } : scopeOf(scope, session)) }
      const by = { session: session.id, disabledToo: true }
      // The caller's own session last: if this fails half-way, the same credential can be used to try again.
      const besides = meant && via === 'cookie' ? await endEach(others) : []
      const revoked = await d.sessions.revokeBy(by, session.identity_id, 'logout', which)
      if (!revoked) return alreadyOut({ credentials, returnTo })
      return { to, revoked: [...new Set([...revoked, ...besides])], signedOut: meant ? via : undefined }
    },
  }
}

function scopeOf(scope: LogoutScope, session: Pick<Session, 'id'>) {
  if (scope === 'all') return {}
  return scope === 'others' ? { except: session.id } : { only: [session.id] }
}

/** Whether the caller's own session is among those to end. */
function isMeant(session: Pick<Session, 'id'>, scope: LogoutScope, sessionIds: string[] | undefined): boolean {
  return sessionIds ? sessionIds.includes(session.id) : scope !== 'others'
}

const foreignToken = () =>
  forbidden('Unable to log out because the logout token in the URL query does not match the session cookie.')

const unknownToken = () =>
  forbidden('The provided Ory Session Token could not be found, is invalid, or otherwise malformed.')
