import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { notFound } from '../../kernel/http/errors.ts'
import { previewAll, previewHtml } from './preview.ts'
import type { MessageTemplates } from './templates.ts'

export interface PreviewDeps {
  dev: boolean
  messageTemplates(): MessageTemplates
}

/** A mail runs no script here and sends nothing, whatever its template holds. */
const POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'"

/** Messages with made-up values, for the operator who writes templates. The prefix /admin is taken off before routing. */
export function templatePreviewRoutes(d: PreviewDeps): FastifyPluginAsync {
  return async (app) => {
    app.get('/courier/templates', async () => {
      demandDev()
      return previewAll(d.messageTemplates())
    })
    app.get('/courier/templates/:type', show)
  }

  async function show(req: FastifyRequest<{ Params: { type: string } }>, reply: FastifyReply) {
    demandDev()
    const html = await previewHtml(d.messageTemplates(), req.params.type)
    if (html === undefined) throw notFound('There is no message of that type.')
    const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY }
    return reply
      .headers({ ...headers, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
      .send(html)
  }

  function demandDev(): void {
    if (!d.dev) throw notFound('Messages are shown with --dev only.')
  }
}
