import { createHash } from 'node:crypto'
import type { FastifyPluginAsync } from 'fastify'
import { notFound } from '../kernel/http/errors.ts'
import { html, type Markup, trusted } from '../ui/html.ts'
import type { CourierMessages } from './messages.ts'

interface Shown {
  id: string
  recipient: string
  subject: string
  body: string
  status: string
  channel: string
  created_at: string
}

const NEWEST = { size: 50, after: { createdAt: '2200-12-31T23:59:59Z', id: '00000000-0000-0000-0000-000000000000' } }

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
  body { margin: 2rem auto; max-width: 48rem; padding: 0 1rem }
  article { border: 1px solid #8886; border-radius: .5rem; margin: 1rem 0; padding: .5rem 1rem }
  h2 { font-size: 1rem; margin: .25rem 0 } pre { white-space: pre-wrap; overflow-wrap: anywhere }`
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** In development: the messages that were sent, or would have been, so that a flow can be tried without a mail server. */
export function mailboxRoutes(d: { dev: boolean; courierMessages: CourierMessages }): FastifyPluginAsync {
  return async (app) => {
    app.get('/courier/mailbox', async (_req, reply) => {
      if (!d.dev) throw notFound('The mailbox is there in development mode (--dev) only.')
      const { messages } = await d.courierMessages.list({ recipient: undefined, status: undefined }, NEWEST)
      reply.headers({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      })
      return page(messages as Shown[])
    })
  }
}

function page(messages: readonly Shown[]): string {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mailbox – Lethe</title><style>${trusted(STYLE)}</style></head>
<body><main>
<h1>Mailbox</h1>
<p>The newest messages to people. This page is there in development mode only; load it again for later ones.</p>
${messages.length === 0 ? html`<p>No message yet.</p>` : messages.map(article)}
</main></body>
</html>
`.text
}

function article({ recipient, subject, body, status, channel, created_at: at }: Shown): Markup {
  return html`<article>
<h2>${subject || channel}</h2>
<p>To ${recipient}, ${status}, <time datetime="${at}">${at}</time></p>
<pre>${body.split(/(https?:\/\/\S+)/).map((part, i) => (i % 2 === 1 ? html`<a href="${part}">${part}</a>` : part))}</pre>
</article>`
}
