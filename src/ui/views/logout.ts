import { href, html, type Markup } from '../html.ts'
import type { Page, View } from '../layout.ts'
import { beginLink } from '../links.ts'
import type { Texts } from '../texts.ts'
import { deviceWords } from './device-words.ts'

export interface LogoutQuestion {
  name: string
  userAgent: string
  csrfToken: string
  /** checked already; `refused` where it must not be followed */
  returnTo: string | 'refused' | undefined
  /** where to go without signing out */
  stay: string
}

/** Asks before it ends a session: the address of this page may stand in any link, mail or picture. */
export function logoutPage(q: LogoutQuestion, { t, root }: View): Page {
  const title = t.get('logout.title')
  const refused = q.returnTo === 'refused'
  const who = t.get('logout.who', { name: q.name, device: deviceWords(q.userAgent, t) })
  return {
    title,
    body: html`<h1>${title}</h1>
${refused && html`<div class="box" role="status"><p>${t.get('logout.refused')}</p></div>`}
<p>${who}</p>
<form method="post" action="${root}/self-service/logout">
<input type="hidden" name="csrf_token" value="${q.csrfToken}">
${!refused && q.returnTo !== undefined && html`<input type="hidden" name="return_to" value="${q.returnTo}">`}
<fieldset><legend>${t.get('logout.scope')}</legend>
${(['current', 'all', 'others'] as const).map((scope) => choice(scope, t.get(`logout.scope.${scope}`)))}
</fieldset>
<div class="stack"><button type="submit" class="main">${t.get('logout.button')}</button>
<a class="button" href="${href(q.stay)}">${t.get('logout.stay')}</a></div>
</form>`,
  }
}

function choice(scope: string, label: string): Markup {
  const checked = scope === 'current' ? html` checked` : undefined
  return html`<div class="check"><input type="radio" name="scope" id="scope-${scope}" value="${scope}"${checked}><label for="scope-${scope}">${label}</label></div>\n`
}

export interface SignedOut {
  /** name of the account that is still signed in */
  stillName: string | undefined
  /** sessions that the preceding logout has ended; undefined where that is not known */
  ended: number | undefined
  returnTo: string | 'refused' | undefined
  /** whether there is an account page */
  account: boolean
}

/** Says "signed out" only if it is true: the page checks, whatever its address says. */
export function signedOutPage(s: SignedOut, { t, root }: View): Page {
  if (s.stillName !== undefined) return stillSignedIn(s, s.stillName, { t, root })
  const title = t.get('signedOut.title')
  const returnTo = s.returnTo === 'refused' ? undefined : s.returnTo
  return {
    title,
    body: html`<h1>${title}</h1>
<p>${t.get('signedOut.text')}</p>
${endedText(s, t)}
<div class="stack">
${returnTo !== undefined && html`<a class="button main" href="${href(returnTo)}">${t.get('signedOut.continue')}</a>`}
<a class="button${returnTo === undefined ? ' main' : ''}" href="${beginLink(root, 'login', returnTo)}">${t.get('signedOut.signIn')}</a>
</div>`,
  }
}

function stillSignedIn(s: SignedOut, name: string, { t, root }: View): Page {
  const title = t.get('signedOut.not.title')
  return {
    title,
    body: html`<h1>${title}</h1>
<p>${t.get('signedOut.not.text', { name })}</p>
${endedText(s, t)}
<div class="stack"><a class="button main" href="${root}/logout">${t.get('logout.button')}</a>
${s.account && html`<a class="button" href="${root}/ui/welcome">${t.get('signedOut.not.link')}</a>`}</div>`,
  }
}

function endedText({ ended = 0 }: SignedOut, t: Texts): Markup | undefined {
  if (ended === 0) return undefined
  return html`<p>${ended === 1 ? t.get('signedOut.ended.one') : t.get('signedOut.ended', { count: ended })}</p>`
}
