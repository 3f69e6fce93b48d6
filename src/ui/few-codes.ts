import { info } from '../flows/messages.ts'
import { inputNode } from '../flows/nodes.ts'
import { isInput, type Ui } from '../flows/types.ts'
import type { Texts } from './texts.ts'

/** With so many unused backup codes or fewer, their owner is offered new ones: the last one that is used leaves no way in. */
const FEW = 3

export const areFew = (unused: unknown): unused is number => typeof unused === 'number' && unused <= FEW

const [REVEAL, REGENERATE] = ['lookup_secret_reveal', 'lookup_secret_regenerate']

/** The form with a button for new backup codes, where few are left. Otherwise it has one beside the revealed codes only. */
export function offerNewCodes(ui: Ui, t: Texts): Ui {
  const reveal = ui.nodes.find((node) => isInput(node) && node.attributes.name === REVEAL)
  const remaining = reveal?.meta.label?.context?.remaining
  if (!reveal || !areFew(remaining)) return ui
  const label = info(1050008, 'Generate new backup recovery codes')
  const offer = inputNode(reveal.group, REGENERATE!, 'submit', { value: 'true', label })
  const few = info(0, t.get('codes.few', { remaining }))
  return { ...ui, messages: [...(ui.messages ?? []), few], nodes: [...ui.nodes, offer] }
}
