import { html, type Markup } from '../html.ts'

/** One line of a list of facts, for `<dl>`. */
export function fact(name: string, value: string | Markup): Markup {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`
}
