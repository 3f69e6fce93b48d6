import { type Micros, parseTime, SECOND, type Timestamp } from '../../kernel/base/clock.ts'
import { html, type Markup } from '../html.ts'

const MINUTE = 60 * SECOND
const STEPS: [Intl.RelativeTimeFormatUnit, Micros][] = [
  ['day', 24 * 60 * MINUTE],
  ['hour', 60 * MINUTE],
  ['minute', MINUTE],
]

/** `22 Nov 2026, 17:30 UTC`, as the language writes it. Without a script the reader's own zone is not known. */
export function timeText(time: Timestamp, lang: string): string {
  const options = { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' } as const
  const format = new Intl.DateTimeFormat(locale(lang), {
    ...options,
    hourCycle: 'h23',
    timeZone: 'UTC',
    timeZoneName: 'short',
  })
  return format.format(parseTime(time) / 1000)
}

/** `5 minutes ago` */
export function agoText(time: Timestamp, now: Micros, lang: string): string {
  const since = Math.max(0, now - parseTime(time))
  const [unit, size] = STEPS.find(([, step]) => since >= step) ?? ['minute', MINUTE]
  return new Intl.RelativeTimeFormat(locale(lang), { numeric: 'auto' }).format(-Math.floor(since / size), unit)
}

/** `30 minutes`, in the largest unit that says it without a fraction. */
export function durationText(time: Micros, lang: string): string {
  const [unit, size] = STEPS.find(([, step]) => time >= step && time % step === 0) ?? ['second', SECOND]
  const options = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 } as const
  return new Intl.NumberFormat(locale(lang), options).format(time / size)
}

export const timeMarkup = (time: Timestamp, text: string): Markup => html`<time datetime="${time}">${text}</time>`

/** `lang` is the operator's text and need not be a language; then times are in English. */
function locale(lang: string): string {
  try {
    return Intl.getCanonicalLocales(lang)[0] ?? 'en'
  } catch {
    return 'en'
  }
}
