import type { Micros } from '../../kernel/base/clock.ts'
import { html, type Markup } from '../html.ts'
import type { View } from '../layout.ts'
import type { Texts } from '../texts.ts'
import { addressWords, deviceWords } from './device-words.ts'
import { fact } from './facts.ts'
import { durationText, timeMarkup, timeText } from './times.ts'

export interface Ended {
  cause: string
  /** the limit of the rule that ended it */
  allowed: Micros | undefined
}

export interface EndedSession {
  cause: string
  ended_at: string
  signed_in_at: string | null
  user_agent: string
  ip_address: string
  location: string
}

/** Tells a person who has to sign in again why. */
export function endedNote({ cause, allowed }: Ended, t: Texts): Markup {
  const timed = cause === 'idle' || cause === 'absolute'
  const text =
    timed && allowed !== undefined
      ? t.get(`endedNote.${cause}`, { time: durationText(allowed, t.get('lang')) })
      : (t.firstOf([timed ? `endedNote.${cause}.untimed` : `endedNote.${cause}`]) ?? t.get('endedNote.other'))
  return html`<div class="box" role="status"><p>${text}</p></div>\n`
}

/** The last sessions that ended, with when and why. */
export function endedList(ended: readonly EndedSession[], view: View): Markup {
  return html`<h2>${view.t.get('sessions.earlier.title')}</h2>
<ul class="sessions ended">
${ended.map((session) => entry(session, view))}
</ul>`
}

function entry(session: EndedSession, { t }: View): Markup {
  const time = (name: 'sessions.ended' | 'sessions.signedIn', at: string) =>
    fact(t.get(name), timeMarkup(at, timeText(at, t.get('lang'))))
  return html`<li><div class="facts"><h3>${deviceWords(session.user_agent, t)}</h3>
<dl>
${fact(t.get('sessions.why'), t.firstOf([`ended.${session.cause}`]) ?? t.get('ended.other'))}
${time('sessions.ended', session.ended_at)}
${session.signed_in_at !== null && time('sessions.signedIn', session.signed_in_at)}
${session.ip_address !== '' && fact(t.get('sessions.address'), addressWords(session.ip_address))}
${session.location !== '' && fact(t.get('sessions.place'), session.location)}
</dl></div></li>\n`
}
