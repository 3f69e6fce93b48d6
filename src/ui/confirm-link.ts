import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LinkPage } from '../flows/proof/links.ts'
import type { Csrf } from '../kernel/http/csrf.ts'
import { encodeQuery, queryValue } from '../kernel/http/query.ts'
import { html } from './html.ts'
import type { Page, View } from './layout.ts'
import { type PageDeps, rootView, sendPage } from './pages.ts'

export interface ConfirmLinkDeps extends PageDeps {
  csrf: Csrf
}

/** The page that asks before a link of a message is used. Served also where the other pages are not. */
export function createLinkPage(d: ConfirmLinkDeps): LinkPage {
  return (req: FastifyRequest, reply: FastifyReply, kind) => {
    d.csrf.ensure(req, reply)
    const view = rootView(d)
    const link = encodeQuery({ flow: queryValue(req, 'flow'), token: queryValue(req, 'token') })
    return sendPage(d, reply, view, confirmLinkPage({ kind, link, csrfToken: d.csrf.token(req) }, view))
  }
}

interface Question {
  kind: Parameters<LinkPage>[2]
  /** query of the link */
  link: string
  csrfToken: string
}

function confirmLinkPage({ kind, link, csrfToken }: Question, { t }: View): Page {
  const title = t.get(`${kind}.title`)
  return {
    title,
    body: html`<h1>${title}</h1>
<p>${t.get(`link.${kind}.text`)}</p>
<form method="post" action="?${link}">
<input type="hidden" name="csrf_token" value="${csrfToken}">
<div class="stack"><button type="submit" class="main">${t.get('link.button')}</button></div>
</form>`,
  }
}
