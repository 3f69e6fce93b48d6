import type { ShownNode, UiMessage, UiNode } from '../flows/types.ts'
import { isObject, type JsonObject } from '../identities/types.ts'
import { attributes, href, html, type Markup } from './html.ts'
import type { Texts } from './texts.ts'

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Parts of a form that are no inputs: the picture of an app's secret, the secret, backup codes to keep or print. */
export function renderShown({ type, attributes: given, meta }: ShownNode, t: Texts): Markup | undefined {
  const label = meta.label ? t.message(meta.label) : ''
  if (type === 'img') {
    const size = { width: Number(given.width) || undefined, height: Number(given.height) || undefined }
    return html`<p class="field"><img${attributes({ src: text(given.src), alt: label, ...size })}></p>\n`
  }
  if (type === 'a') {
    // Addresses of apps are fine, scripts are not: the row may be another server's.
    const to = href(text(given.href))
    return to === '#' ? undefined : html`<p><a class="button main" href="${to}">${label}</a></p>\n`
  }
  if (type !== 'text') return undefined
  const message = given.text as unknown as UiMessage | undefined
  const codes = message?.context?.secrets
  const shown = Array.isArray(codes)
    ? html`<ul>${codes.filter(isObject).map((code) => html`<li><code>${t.message(code as unknown as UiMessage)}</code></li>`)}</ul>`
    : html`<p><code>${text(message?.text)}</code></p>`
  return html`<div class="field"><p>${label}</p>${shown}</div>\n`
}

/** The script for keys, once, and a place for its errors. */
export function renderScript(nodes: readonly UiNode[]): Markup | undefined {
  const script = scriptOf(nodes)
  if (!script) return undefined
  const { src, integrity, crossorigin, referrerpolicy } = script as Record<string, string>
  return html`<p class="hint error" role="alert" data-webauthn-error></p>
<script${attributes({ src, integrity, crossorigin, referrerpolicy, async: true })}></script>\n`
}

const scriptOf = (nodes: readonly UiNode[]): JsonObject | undefined =>
  nodes.find(({ type }) => type === 'script')?.attributes as JsonObject | undefined

/** The origin from which a page loads its script; undefined without one. */
export function scriptSource(nodes: readonly UiNode[]): string | undefined {
  const src = scriptOf(nodes)?.src
  return typeof src === 'string' ? src : undefined
}
