import { sortNodes } from '../../../flows/engine/order.ts'
import { identifierNode, LOGIN_ORDER } from '../../../flows/login/form.ts'
import { messages } from '../../../flows/messages.ts'
import { csrfNode, inputNode, submitNode } from '../../../flows/nodes.ts'
import { type InputNode, isInput, type UiNode } from '../../../flows/types.ts'
import type { IdentitySchema } from '../../../identities/types.ts'
import type { CodeAddress } from '../addresses.ts'
import { codeMessages } from '../messages.ts'

export const GROUP = 'code'

export const askButton = () => submitNode(GROUP, GROUP, codeMessages.sendLoginCode)

/** One button for each address. */
export const addressButtons = (addresses: readonly CodeAddress[]): UiNode[] =>
  addresses.map((one) => submitNode(GROUP, one.value, codeMessages.sendTo(one), 'address'))

/** A hidden input for the address, so that it need not be chosen again. */
export const chosenAddress = (one: CodeAddress): InputNode =>
  inputNode(GROUP, 'identifier', 'hidden', { value: one.value, label: codeMessages.sendTo(one) })

/** The identifier of the form so far, as a hidden input. */
export function askedIdentifier(nodes: readonly UiNode[], identifier: string, schema: IdentitySchema): InputNode {
  const known = nodes.filter(isInput).find(({ attributes }) => attributes.name === 'identifier')
  const { attributes, ...node } = known ?? identifierNode(schema)
  return { ...node, attributes: { ...attributes, type: 'hidden', value: identifier }, messages: [] }
}

const codeNodes = () => ({
  method: inputNode(GROUP, 'method', 'hidden', { value: GROUP }),
  code: inputNode(GROUP, 'code', 'text', { required: true, label: codeMessages.loginCode }),
  send: submitNode(GROUP, GROUP, messages.continue),
  resend: submitNode(GROUP, GROUP, messages.resendCode, 'resend'),
})

/** Without the anti-CSRF token. */
export function sentNodes(identifier: InputNode): UiNode[] {
  const { method, code, send, resend } = codeNodes()
  return [identifier, method, code, send, resend]
}

/** After a code that was refused. */
export function refusedNodes(csrfToken: string, identifier: string): UiNode[] {
  const nodes = [csrfNode(csrfToken), ...sentNodes(identifierNode(identifier))]
  return sortNodes(nodes, LOGIN_ORDER)
}

/** The form of a completed flow. */
export function passedNodes(nodes: readonly UiNode[], csrfToken: string): UiNode[] {
  const others = nodes.filter((node) => !isInput(node) || node.attributes.name !== 'csrf_token')
  return sortNodes([csrfNode(csrfToken), ...others.map((node) => ({ ...node, messages: [] }))], LOGIN_ORDER)
}
