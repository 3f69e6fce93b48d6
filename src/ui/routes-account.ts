import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { FlowUrls } from '../flows/urls.ts'
import type { Clock } from '../kernel/base/clock.ts'
import { withoutTrailingSlashes } from '../kernel/base/url.ts'
import type { Csrf } from '../kernel/http/csrf.ts'
import { queryValue } from '../kernel/http/query.ts'
import type { SessionCredentials } from '../sessions/http/credentials.ts'
import type { RequireSession } from '../sessions/http/require-session.ts'
import type { EndedSessions } from '../sessions/lists/ended-sessions.ts'
import type { OwnSessions } from '../sessions/lists/own-sessions.ts'
import type { SessionService } from '../sessions/service.ts'
import type { Resolved } from '../sessions/types.ts'
import { checkedReturnTo } from './links.ts'
import { type OwnCredentials, type PageDeps, sendPage, uiView } from './pages.ts'
import { signedOutPage } from './views/logout.ts'
import { nameOf, shownSession } from './views/shown-session.ts'
import { welcomePage } from './views/welcome.ts'

/** Sessions on the account page. An owner with more can end them all at once. */
const SHOWN_SESSIONS = 50

export interface AccountPageDeps extends PageDeps {
  clock: Clock
  csrf: Csrf
  credentials: SessionCredentials
  flowUrls: FlowUrls
  ownCredentials: OwnCredentials
  requireSession: RequireSession
  sessions: Pick<SessionService, 'resolve' | 'answer'>
  ownSessions: Pick<OwnSessions, 'others'>
  endedSessions: EndedSessions
}

/** The account page, with identity and sessions, and the page after signing out. */
export function accountPageRoutes(d: AccountPageDeps): FastifyPluginAsync {
  return async (app) => {
    const options = { config: { errors: 'page' as const } }
    app.get('/ui/welcome', options, d.requireSession({ otherwise: toLogin, aal: back }, welcome))
    app.get('/ui/signed-out', options, signedOut)
  }

  /** The address of the account page; empty where it is not an allowed `return_to`. */
  function back(): string {
    const here = `${withoutTrailingSlashes(d.baseUrls.public())}/ui/welcome`
    return checked(here) === here ? here : ''
  }

  function toLogin(_req: FastifyRequest, reply: FastifyReply) {
    return reply.redirect(d.flowUrls.init('login', 'browser', back()), 303)
  }

  async function welcome(req: FastifyRequest, reply: FastifyReply, { session }: Resolved) {
    const [others, ended, { backupCodes }] = await Promise.all([
      d.ownSessions.others(session, { size: SHOWN_SESSIONS, offset: 0 }),
      d.endedSessions.lastOf(session.identity_id),
      d.ownCredentials(session.identity_id),
    ])
    const page = welcomePage(
      {
        name: nameOf(session.identity),
        current: shownSession(d.sessions.answer(session)),
        others: others.sessions.map(shownSession),
        total: others.total,
        ended,
        backupCodes,
        csrfToken: d.csrf.token(req),
        here: back(),
        now: d.clock.now(),
      },
      uiView(d),
    )
    return sendPage(d, reply, uiView(d), page)
  }

  async function signedOut(req: FastifyRequest, reply: FastifyReply) {
    const resolved = await d.sessions.resolve(d.credentials.read(req))
    const ended = /^\d{1,4}$/.exec(queryValue(req, 'ended'))?.[0]
    const page = signedOutPage(
      {
        stillName: resolved && nameOf(resolved.session.identity),
        ended: ended === undefined ? undefined : Number(ended),
        returnTo: checked(queryValue(req, 'return_to')),
        account: true,
      },
      uiView(d),
    )
    return sendPage(d, reply, uiView(d), page)
  }

  function checked(url: string) {
    return checkedReturnTo(d.config(), d.baseUrls.public(), url)
  }
}
