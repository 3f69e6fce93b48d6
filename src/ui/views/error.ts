import { html } from '../html.ts'
import type { Page, View } from '../layout.ts'
import { beginLink } from '../links.ts'

export interface ShownError {
  code: number
  /** name of the error: `session_inactive` */
  name?: string | undefined
  /** the server's own text; shown for mistakes of the caller, never for a failure inside */
  reason?: string | undefined
  /** to quote when asking for help */
  id?: string | undefined
  /** where the person wanted to go; it is checked where the next sign-in begins */
  returnTo?: string | undefined
  /** an address for another try */
  retry?: string | undefined
}

/** What happened and what to do next, in plain words. */
export function errorPageOf(error: ShownError, { t, root }: View): Page {
  const kinds = [...(error.name ? [error.name] : []), String(error.code), String(Math.floor(error.code / 100) * 100)]
  const word = (part: string) => t.firstOf(kinds.map((kind) => `error.${kind}.${part}`))
  const title = word('title') ?? t.get('error.title')
  const text = word('text') ?? (error.code < 500 ? error.reason : undefined)
  const next = word('next')
  return {
    title,
    alert: true,
    body: html`<h1>${title}</h1>
<div role="alert">
${text && html`<p>${text}</p>`}
${next && html`<p>${next}</p>`}
</div>
<div class="stack">
${error.retry !== undefined && html`<a class="button main" href="${error.retry}">${t.get('error.retry')}</a>`}
<a class="button${error.retry === undefined ? ' main' : ''}" href="${beginLink(root, 'login', error.returnTo)}">${t.get('error.toSignIn')}</a>
</div>
${error.id && html`<p class="aside soft hint">${t.get('error.id')}: <code>${error.id}</code></p>`}`,
  }
}
