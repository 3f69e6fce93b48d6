import { inputNode } from '../flows/nodes.ts'
import type { InputNode, ShownNode, UiMessage } from '../flows/types.ts'
import { SCRIPT_INTEGRITY, SCRIPT_PATH } from './script.ts'

/** The id by which pages find the script. */
const scriptElement = 'webauthn_script'

/** @param nonce a fresh one: a page may put it into its policy */
export const scriptNode = (publicBaseUrl: string, nonce: string): ShownNode => ({
  type: 'script',
  group: 'webauthn',
  attributes: {
    src: `${publicBaseUrl.replace(/\/$/, '')}${SCRIPT_PATH}`,
    async: true,
    referrerpolicy: 'no-referrer',
    crossorigin: 'anonymous',
    integrity: SCRIPT_INTEGRITY,
    type: 'text/javascript',
    id: scriptElement,
    nonce,
    node_type: 'script',
  },
  messages: [],
  meta: {},
})

/** A button that asks for a security key: its options go along as its value and in the call. */
export function keyButton(name: string, trigger: string, options: object, label: UiMessage): InputNode {
  const value = JSON.stringify(options)
  const calls = { onclick: `window.${trigger}(${value})`, onclickTrigger: trigger }
  return inputNode('webauthn', name, 'button', { value, label, ...calls })
}

/** The call for a script; native clients have none, and get its name alone. */
export const calls = (event: 'onclick' | 'onload', trigger: string, native: boolean) => ({
  ...(native ? {} : { [event]: `window.${trigger}()` }),
  [`${event}Trigger`]: trigger,
})

export function removeButton(group: string, name: string, id: Buffer, label: UiMessage, disabled: boolean): InputNode {
  const node = inputNode(group, name, 'submit', { value: id.toString('hex'), label })
  return { ...node, attributes: { ...node.attributes, disabled } }
}

/** Browsers offer passkeys together with the names that they know. */
export const forAutofill = (identifier: InputNode): InputNode => ({
  ...identifier,
  attributes: { ...identifier.attributes, autocomplete: 'username webauthn' },
})
