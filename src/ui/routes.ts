import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorContainers } from '../error-containers/service.ts'
import type { Logger } from '../kernel/base/log.ts'
import { HttpError } from '../kernel/http/errors.ts'
import { queryValue } from '../kernel/http/query.ts'
import { isUiEnabled } from './links.ts'
import { sendPage, uiView } from './pages.ts'
import { type AccountPageDeps, accountPageRoutes } from './routes-account.ts'
import { type FlowPageDeps, flowPageRoutes } from './routes-flows.ts'
import { STYLE, STYLE_VERSION } from './style.ts'
import { unknownTexts } from './texts.ts'
import { errorPageOf, type ShownError } from './views/error.ts'

export interface UiDeps extends FlowPageDeps, AccountPageDeps {
  errors: Pick<ErrorContainers, 'read'>
  log: Pick<Logger, 'warn'>
}

/** The built-in pages below /ui/, where they are switched on. They work without a script. */
export function uiRoutes(d: UiDeps): FastifyPluginAsync {
  return async (app) => {
    if (!isUiEnabled(d.config(), d.baseUrls.public())) return
    const unknown = unknownTexts(d.config().lethe.ui.texts)
    if (unknown.length > 0) d.log.warn({ names: unknown }, 'lethe.ui.texts names texts that no page has')
    app.register(flowPageRoutes(d))
    app.register(accountPageRoutes(d))
    app.get('/ui/error', { config: { errors: 'page' } }, showError)
    app.get('/ui/style.css', { config: { csrf: 'off' } }, style)
    // People open the bare address of the server too. Relative: any prefix in front stays.
    app.get('/', (_req, reply) => reply.redirect('ui/welcome', 303))
  }

  async function showError(req: FastifyRequest, reply: FastifyReply) {
    const view = uiView(d)
    const id = queryValue(req, 'error') || queryValue(req, 'id')
    const shown = await d.errors.read(id).then(({ error }) => shownError(error, id), unknownError)
    return sendPage(d, reply, view, errorPageOf(shown, view))
  }

  async function style(req: FastifyRequest, reply: FastifyReply) {
    const current = queryValue(req, 'v') === STYLE_VERSION
    return reply
      .headers({
        'content-type': 'text/css; charset=utf-8',
        'cache-control': current ? 'public, max-age=31536000, immutable' : 'no-cache',
        'x-content-type-options': 'nosniff',
      })
      .send(STYLE)
  }
}

/** An error from an error container, stored by Lethe or by Kratos. */
function shownError(stored: unknown, id: string): ShownError {
  const error = ([stored].flat()[0] ?? {}) as Record<string, unknown>
  const code = typeof error.code === 'number' ? error.code : 500
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
  const { return_to: returnTo } = Object(error.details ?? {}) as Record<string, unknown>
  return { code, name: text(error.id), reason: text(error.reason), returnTo: text(returnTo), id }
}

/** A deleted error is no failure of this page. @throws all others */
function unknownError(error: unknown): ShownError {
  if (error instanceof HttpError && error.status === 404) return { code: 404, name: 'unknown' }
  throw error
}
