import { html, type Markup, trusted } from './html.ts'
import { STYLE, STYLE_VERSION } from './style.ts'
import type { Texts } from './texts.ts'

export interface Page {
  title: string
  body: Markup
  /** something on the page needs attention; announced first in the title, which screen readers read first */
  alert?: boolean
  wide?: boolean
  /** its forms lead to servers that redirect on to unknown addresses */
  leavesServer?: boolean
  /** address of the one script that runs on it */
  script?: string | undefined
}

/** Texts, and the page's position on the server. Links are relative, so that any host and path prefix in front works. */
export interface View {
  t: Texts
  /** the way from the page to the root of the server: `.` or `..` */
  root: string
}

const MARK = `<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" aria-hidden="true" focusable="false"><path d="M27 11a12 12 0 1 0 0 10"/><path d="M10 17.5c2-2.4 4-2.4 6 0s4 2.4 6 0 4-2.4 6 0"/></svg>`
const ICON = `data:image/svg+xml,${encodeURIComponent(
  MARK.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ').replace('currentColor', '#3d7fe0'),
)}`

/** The whole document. @param inlineStyle where the style sheet cannot be fetched, or need not be */
export function layout(page: Page, { t, root }: View, inlineStyle: boolean): string {
  const title = `${page.alert ? `${t.get('errorPrefix')} ` : ''}${page.title} – ${t.get('brand')}`
  const style = inlineStyle
    ? html`<style>${trusted(STYLE)}</style>`
    : html`<link rel="stylesheet" href="${root}/ui/style.css?v=${STYLE_VERSION}">`
  return html`<!doctype html>
<html lang="${t.get('lang')}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="${ICON}">
${style}
</head>
<body>
<header>${trusted(MARK)}<span>${t.get('brand')}</span></header>
<main${page.wide ? trusted(' class="wide"') : ''}>
${page.body}
</main>
</body>
</html>
`.text
}
