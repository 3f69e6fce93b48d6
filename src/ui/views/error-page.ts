import type { FastifyRequest } from 'fastify'
import { withoutTrailingSlashes } from '../../kernel/base/url.ts'
import type { HttpError } from '../../kernel/http/errors.ts'
import { formTargets, pageHeaders } from '../headers.ts'
import { layout } from '../layout.ts'
import { type PageDeps, rootView } from '../pages.ts'
import { errorPageOf } from './error.ts'

export interface ErrorDocument {
  headers: Record<string, string>
  body: string
}

/**
 * An error as a page that needs nothing else from the server, for a browser at any address: it contains style and texts,
 * and does not read the store. Where another try can help, the link opens the same address again.
 */
export function errorDocuments(d: PageDeps) {
  return (error: HttpError, req: FastifyRequest): ErrorDocument => {
    const base = withoutTrailingSlashes(d.baseUrls.public())
    const view = { ...rootView(d), root: base }
    const again = req.method === 'GET' && error.status >= 500
    const page = errorPageOf(
      {
        code: error.status,
        name: error.id,
        reason: error.reason,
        id: error.status >= 500 ? req.id : undefined,
        retry: again ? '' : undefined,
      },
      view,
    )
    return {
      headers: { ...pageHeaders(formTargets(d.config(), base), true), ...error.headers },
      body: layout(page, view, true),
    }
  }
}
