import type { Micros } from '../../kernel/base/clock.ts'
import { areFew } from '../few-codes.ts'
import { html, type Markup } from '../html.ts'
import type { Page, View } from '../layout.ts'
import { addressWords, deviceWords } from './device-words.ts'
import { type EndedSession, endedList } from './ended.ts'
import { fact } from './facts.ts'
import type { ShownSession } from './shown-session.ts'
import { agoText, timeMarkup, timeText } from './times.ts'

export interface Welcome {
  name: string
  current: ShownSession
  others: ShownSession[]
  /** how many others there are; `others` may be a part of them */
  total: number
  /** the last ones that ended, newest first */
  ended: EndedSession[]
  /** unused ones; undefined without any set up */
  backupCodes: number | undefined
  csrfToken: string
  /** the address of this page, for forms after which the owner stays signed in */
  here: string
  now: Micros
}

/** The account page: identity, sessions, and how to end each of them. */
export function welcomePage(w: Welcome, view: View): Page {
  const { t, root } = view
  const title = t.get('welcome.title')
  const more = w.total > w.others.length
  return {
    title,
    wide: true,
    body: html`<h1>${title}</h1>
${areFew(w.backupCodes) && html`<div class="box" role="status"><p>${t.get('welcome.fewCodes', { remaining: w.backupCodes })}</p></div>\n`}<div class="who"><p>${t.get('welcome.who')} <strong>${w.name}</strong></p>
${endForm(w, view, { scope: 'current' }, html`<button type="submit">${t.get('welcome.signOutHere')}</button>`)}</div>
<p><a href="${root}/self-service/settings/browser">${t.get('welcome.settings')}</a></p>
<h2>${t.get('sessions.title')}</h2>
<ul class="sessions">
${entry(w, view, w.current, true)}
${w.others.map((session) => entry(w, view, session, false))}
</ul>
${w.total === 0 && html`<p class="soft hint">${t.get('sessions.onlyThis')}</p>`}
${more && html`<p class="soft hint">${t.get('sessions.more', { shown: w.others.length + 1, total: w.total + 1 })}</p>`}
${w.total > 0 && endMany(w, view)}
${w.ended.length > 0 && endedList(w.ended, view)}`,
  }
}

function endMany(w: Welcome, view: View): Markup {
  const { t } = view
  return html`<div class="row">
${endForm(w, view, { scope: 'others', return_to: w.here }, html`<button type="submit" class="main">${t.get('sessions.endOthers')}</button>`)}
${endForm(w, view, { scope: 'all' }, html`<button type="submit" class="danger">${t.get('sessions.endAll')}</button>`)}
</div>`
}

function entry(w: Welcome, view: View, session: ShownSession, current: boolean): Markup {
  const { t } = view
  const lang = t.get('lang')
  const device = deviceWords(session.userAgent, t)
  const signedIn = timeText(session.signedIn, lang)
  const label = t.get('sessions.end.label', { device, time: signedIn })
  const methods = session.methods.map((name) => t.firstOf([`sessions.method.${name}`]) ?? name)
  return html`<li><div class="facts"><h3>${device} ${current && html`<span class="badge">${t.get('sessions.current')}</span>`}</h3>
<dl>
${fact(t.get('sessions.signedIn'), html`${timeMarkup(session.signedIn, signedIn)}${methods.length > 0 && ` (${methods.join(', ')})`}`)}
${session.lastSeen && fact(t.get('sessions.lastSeen'), timeMarkup(session.lastSeen, agoText(session.lastSeen, w.now, lang)))}
${session.address !== '' && fact(t.get('sessions.address'), addressWords(session.address))}
${session.place !== '' && fact(t.get('sessions.place'), session.place)}
</dl></div>
${!current && endForm(w, view, { session_ids: session.id, return_to: w.here }, html`<button type="submit" aria-label="${label}">${t.get('sessions.end')}</button>`)}</li>`
}

function endForm({ csrfToken }: Welcome, { root }: View, fields: Record<string, string>, button: Markup): Markup {
  const hidden = Object.entries({ csrf_token: csrfToken, ...fields }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  return html`<form method="post" action="${root}/self-service/logout">${hidden}${button}</form>`
}
