import { parseUrl } from '../kernel/base/url.ts'

/** Markup that may be sent as it is. Only {@link html} and {@link trusted} make it, so that no string becomes markup by mistake. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** The values in a template. Undefined, null and booleans print nothing, so that `condition && html…` works. */
export type Part = Markup | string | number | boolean | null | undefined | readonly Part[]

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Safe in text and in a quoted attribute, which is why templates quote every attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (found) => ENTITIES[found]!)
}

/** Markup whose values are escaped, unless they are markup themselves. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.reduce((text, next, at) => text + print(parts[at - 1]) + next))
}

function print(part: Part): string {
  if (part === null || part === undefined || typeof part === 'boolean') return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'object') return part.map(print).join('')
  return escapeHtml(String(part))
}

/** Markup of our own from a string: a style sheet, a picture. Never for input. */
export const trusted = (text: string) => new Markup(text)

/** Attributes with a space before each; `true` is one without value, `undefined` and `false` leave it out. */
export function attributes(values: Record<string, string | number | boolean | undefined>): Markup {
  const printed = Object.entries(values).map(([name, value]) => {
    if (value === undefined || value === false) return ''
    return value === true ? ` ${name}` : ` ${name}="${escapeHtml(String(value))}"`
  })
  return new Markup(printed.join(''))
}

/**
 * An address for `href`, read as a browser reads it. One that could run a script, or cannot be parsed, becomes empty.
 * @see https://url.spec.whatwg.org/#url-parsing
 */
export function href(url: string): string {
  const parsed = parseUrl(url, 'http://relative.invalid')
  return parsed && !UNSAFE_SCHEMES.has(parsed.protocol) ? url : '#'
}

const UNSAFE_SCHEMES = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:'])
