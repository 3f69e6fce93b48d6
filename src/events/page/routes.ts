import { createHash } from 'node:crypto'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { Config } from '../../config/schema/schema.ts'
import { notFound } from '../../kernel/http/errors.ts'
import { PAGE, SCRIPT, servesPage } from './page.ts'

const style = /<style>([\s\S]*?)<\/style>/.exec(PAGE)![1]!
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** A page for operators. The admin port authenticates no one, so the page is off where other machines can reach it. */
export function eventPageRoutes(d: { config(): Config }): FastifyPluginAsync {
  const send = (reply: FastifyReply, type: string, body: string) => {
    if (!servesPage(d.config())) throw notFound('The page is off; `lethe.events.page` switches it on.')
    const headers = { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': POLICY }
    return reply
      .headers({ ...headers, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
      .send(body)
  }
  return async (app) => {
    app.get('/events/page', (_req, reply) => send(reply, 'text/html', PAGE))
    app.get('/events/page.js', (_req, reply) => send(reply, 'text/javascript', SCRIPT))
  }
}
