import { info } from '../flows/messages.ts'
import { inputNode } from '../flows/nodes.ts'
import { isInput, type Ui } from '../flows/types.ts'
import type { Texts } from './texts.ts'

const [BUTTON, NAME] = ['passkey_register_trigger', 'passkey_settings_register_displayname']

/** The form with a field for the name of a new passkey: Kratos asks for none, and lists them all as "unnamed". */
export function askPasskeyName(ui: Ui, t: Texts, device: string): Ui {
  const at = ui.nodes.findIndex((node) => isInput(node) && node.attributes.name === BUTTON)
  if (at < 0) return ui
  const name = inputNode(ui.nodes[at]!.group, NAME!, 'text', { value: device, label: info(0, t.get('passkey.name')) })
  return { ...ui, nodes: ui.nodes.toSpliced(at, 0, name) }
}
