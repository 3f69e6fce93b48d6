import { type InputNode, isInput, type UiNode } from '../flows/types.ts'
import { html, type Markup } from './html.ts'
import type { Texts } from './texts.ts'

/** Whether a button takes a way to sign in, or a second step, away. */
export const takesAway = ({ attributes: { name, type } }: InputNode) =>
  type === 'submit' && /(^|_)(remove|unlink|disable)$/.test(name)

/** @param signIn types of the credentials that are enough to sign in @param nodes of the whole form */
export interface Removals {
  signIn: readonly string[]
  nodes: readonly UiNode[]
}

/**
 * The button, behind a word of what is left afterwards: it works at once, and what it removes cannot be brought back. A
 * browser opens it without a script.
 */
export function confirmRemoval(node: InputNode, button: Markup, t: Texts, removals: Removals): Markup {
  const label = node.meta.label ? t.message(node.meta.label) : t.get('removal.button')
  if (node.attributes.disabled) return html`<p class="hint">${t.get('removal.last')}</p>${button}`
  return html`<details><summary class="button danger">${label}</summary>
<p class="hint">${consequence(node, t, removals)}</p>
${button}</details>`
}

function consequence(node: InputNode, t: Texts, { signIn, nodes }: Removals): string {
  if (!signIn.includes(node.group)) return t.get('removal.secondFactor')
  const alike = nodes.filter((one) => isInput(one) && one.group === node.group && takesAway(one))
  const left = signIn.filter((type) => type !== node.group || alike.length > 1)
  const words = [...new Set(left)].map((type) => t.firstOf([`removal.way.${type}`]) ?? type)
  return t.get('removal.signIn', { ways: words.join(', ') })
}
