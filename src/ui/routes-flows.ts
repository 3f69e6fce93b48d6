import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Flow } from '../flows/types.ts'
import type { FlowUrls } from '../flows/urls.ts'
import type { Csrf } from '../kernel/http/csrf.ts'
import { HttpError } from '../kernel/http/errors.ts'
import { queryValue } from '../kernel/http/query.ts'
import type { SessionCredentials } from '../sessions/http/credentials.ts'
import type { RequireSession } from '../sessions/http/require-session.ts'
import type { EndedSessions } from '../sessions/lists/ended-sessions.ts'
import type { Session } from '../sessions/types.ts'
import type { Page, View } from './layout.ts'
import type { PageKind } from './links.ts'
import { type OwnCredentials, type PageDeps, sendPage, uiView } from './pages.ts'
import { scriptSource } from './shown.ts'
import { deviceWords } from './views/device-words.ts'
import { errorPageOf } from './views/error.ts'
import {
  type LoginLike,
  loginPage,
  recoveryPage,
  registrationPage,
  settingsPage,
  verificationPage,
} from './views/flow.ts'

/** @throws HttpError 404, 403, 410 */
type ReadFlow<F extends Flow> = (id: string, checkReader: (csrfToken: string) => void) => Promise<F>

export interface FlowPageDeps extends PageDeps {
  csrf: Csrf
  credentials: SessionCredentials
  endedSessions: EndedSessions
  requireSession: RequireSession
  flowUrls: FlowUrls
  ownCredentials: OwnCredentials
  login: { read: ReadFlow<LoginLike> }
  registration: { read: ReadFlow<Flow> }
  settings: { read(id: string, session: Session): Promise<Flow> }
  recovery: { read: ReadFlow<Flow> }
  verification: { read: ReadFlow<Flow> }
}

/** The pages with the forms of flows. */
export function flowPageRoutes(d: FlowPageDeps): FastifyPluginAsync {
  return async (app) => {
    const options = { config: { errors: 'page' as const } }
    const { login, registration, settings, recovery, verification } = d
    const flows = () => d.config().selfservice.flows
    app.get('/ui/login', options, (req, reply) =>
      show(req, reply, 'login', login.read, async (flow, view) =>
        loginPage(flow, view, {
          registration: flows().registration.enabled,
          recovery: flows().recovery.enabled,
          ended: await toldOnce(req, reply),
        }),
      ),
    )
    app.get('/ui/registration', options, (req, reply) =>
      show(req, reply, 'registration', registration.read, registrationPage),
    )
    app.get('/ui/recovery', options, (req, reply) => show(req, reply, 'recovery', recovery.read, recoveryPage))
    app.get('/ui/verification', options, (req, reply) =>
      show(req, reply, 'verification', verification.read, verificationPage),
    )
    const own = d.requireSession({ otherwise: beginSettings, aal: 'any' }, (req, reply, { session }) =>
      show(
        req,
        reply,
        'settings',
        (id) => settings.read(id, session),
        async (flow, view) => {
          const { signIn, removedKeys } = await d.ownCredentials(session.identity_id)
          const removed = scriptSource(flow.ui.nodes) === undefined ? [] : await removedKeys()
          return settingsPage(flow, view, {
            signIn,
            removed,
            device: deviceWords(req.headers['user-agent'] ?? '', view.t),
          })
        },
      ),
    )
    app.get('/ui/settings', options, own)
  }

  function beginSettings(req: FastifyRequest, reply: FastifyReply) {
    const returnTo = queryValue(req, 'flow') === '' ? queryValue(req, 'return_to') : ''
    return reply.redirect(d.flowUrls.init('settings', 'browser', returnTo), 303)
  }

  async function show<F extends Flow>(
    req: FastifyRequest,
    reply: FastifyReply,
    kind: PageKind,
    read: ReadFlow<F>,
    render: (flow: F, view: View) => Page | Promise<Page>,
  ) {
    const id = queryValue(req, 'flow')
    if (id === '') return begin(queryValue(req, 'return_to'))
    const flow = await read(id, (token) => checkReader(req, token)).catch(refusal)
    if (flow instanceof HttpError) {
      // Without a cookie the next flow would not match this browser either: an endless redirect.
      return flow.status === 403 && !hasCookie(req) ? noCookie(reply) : begin(returnToOf(flow))
    }
    if (flow.type !== 'browser') return begin('')
    return sendPage(d, reply, uiView(d), await render(withToken(flow, d.csrf.token(req)), uiView(d)))

    function begin(returnTo: string) {
      return reply.redirect(d.flowUrls.init(kind, 'browser', returnTo), 303)
    }
  }

  /** How the session of the browser's cookie ended. Clears the cookie, so that it is shown once. */
  async function toldOnce(req: FastifyRequest, reply: FastifyReply) {
    const ended = await d.endedSessions.endOf(d.credentials.read(req))
    if (ended) d.credentials.clear(req, reply)
    return ended
  }

  function checkReader(req: FastifyRequest, token: string): void {
    if (!d.csrf.matches(req, token)) throw d.csrf.violation(req, false)
  }

  /** Whether the request came with an anti-CSRF cookie, not only the answer. */
  function hasCookie(req: FastifyRequest): boolean {
    return d.csrf.matches(req, d.csrf.token(req))
  }

  function noCookie(reply: FastifyReply) {
    const view = uiView(d)
    return sendPage(d, reply, view, errorPageOf({ code: 403, name: 'cookies' }, view), 403)
  }
}

/**
 * The token in the flow is as old as its last submit. A browser that may read the flow may submit it too, also if its cookie
 * has changed meanwhile, as after a new sign-in.
 */
function withToken<F extends Flow>(flow: F, token: string): F {
  const nodes = flow.ui.nodes.map((node) =>
    node.attributes.name === 'csrf_token' ? { ...node, attributes: { ...node.attributes, value: token } } : node,
  )
  return { ...flow, ui: { ...flow.ui, nodes } }
}

/** Refusals after which a new flow helps. @throws all others */
function refusal(error: unknown): HttpError {
  if (error instanceof HttpError && [403, 404, 410].includes(error.status)) return error
  throw error
}

function returnToOf(error: HttpError): string {
  const returnTo = error.details?.return_to
  return typeof returnTo === 'string' ? returnTo : ''
}
