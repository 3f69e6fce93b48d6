import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Csrf } from '../kernel/http/csrf.ts'
import { queryValue } from '../kernel/http/query.ts'
import type { SessionCredentials } from '../sessions/http/credentials.ts'
import type { SessionService } from '../sessions/service.ts'
import { checkedReturnTo, isUiEnabled } from './links.ts'
import { type PageDeps, rootView, sendPage } from './pages.ts'
import { logoutPage, signedOutPage } from './views/logout.ts'
import { nameOf, shownSession } from './views/shown-session.ts'

export interface LogoutPageDeps extends PageDeps {
  csrf: Csrf
  credentials: SessionCredentials
  sessions: Pick<SessionService, 'resolve' | 'answer'>
}

/**
 * A link to sign out for any page, mail or application: the page asks first, and its form signs out.
 * Served also where the other pages are not.
 */
export function logoutPageRoutes(d: LogoutPageDeps): FastifyPluginAsync {
  return async (app) => {
    app.get('/logout', { config: { errors: 'page' } }, ask)
  }

  async function ask(req: FastifyRequest, reply: FastifyReply) {
    const view = rootView(d)
    const resolved = await d.sessions.resolve(d.credentials.read(req))
    const base = d.baseUrls.public()
    const returnTo = checkedReturnTo(d.config(), base, queryValue(req, 'return_to'))
    const account = isUiEnabled(d.config(), base)
    if (!resolved) {
      return sendPage(
        d,
        reply,
        view,
        signedOutPage({ stillName: undefined, ended: undefined, returnTo, account }, view),
      )
    }
    const { session } = resolved
    const allowed = returnTo === 'refused' ? undefined : returnTo
    const home = account ? `${view.root}/ui/welcome` : d.config().selfservice.default_browser_return_url
    const question = {
      name: nameOf(session.identity),
      userAgent: shownSession(d.sessions.answer(session)).userAgent,
      csrfToken: d.csrf.token(req),
      returnTo,
      stay: allowed ?? home,
    }
    return sendPage(d, reply, view, logoutPage(question, view))
  }
}
