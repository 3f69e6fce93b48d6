import { sortNodes } from '../../flows/engine/order.ts'
import { messages } from '../../flows/messages.ts'
import { cleared, csrfNode, inputNode, nodeValues, submitNode } from '../../flows/nodes.ts'
import { registrationOrder, traitNodes } from '../../flows/registration/form.ts'
import type { RegistrationRequest } from '../../flows/registration/method.ts'
import { traitValues } from '../../flows/traits.ts'
import type { UiNode } from '../../flows/types.ts'
import type { Json } from '../../identities/types.ts'
import { GROUP } from './login/form.ts'
import { codeMessages } from './messages.ts'

type Sent = Pick<RegistrationRequest, 'flow' | 'schema' | 'traits' | 'csrfToken'>

/** The traits go along unseen. @param back whether there is a screen to go back to */
export function sentForm({ flow, schema, traits, csrfToken }: Sent, back: boolean): UiNode[] {
  const values = new Map([...nodeValues(flow.ui.nodes), ...traitValues(traits, schema.inputs)])
  return [
    csrfNode(csrfToken),
    ...traitNodes({ screen: 'credentials', inputs: schema.inputs, values, traitGroup: 'default' }),
    inputNode(GROUP, 'method', 'hidden', { value: GROUP }),
    inputNode(GROUP, 'code', 'text', { required: true, label: codeMessages.registrationCode }),
    submitNode(GROUP, GROUP, messages.continue),
    submitNode(GROUP, GROUP, messages.resendCode, 'resend'),
    ...(back ? [submitNode('profile', 'credential-selection', messages.back, 'screen')] : []),
  ]
}

/** The same form after a code that was refused, with the traits that came with it. */
export function refusedForm({ flow, schema, traits, csrfToken }: Sent): UiNode[] {
  const values = new Map<string, Json>([...traitValues(traits, schema.inputs), ['csrf_token', csrfToken]])
  return sortNodes(cleared(flow.ui, values).nodes, registrationOrder(schema.inputs))
}

/** Whether a trait came with another value than the code was asked for with. */
export function traitsDiffer({ flow, schema, traits }: Sent): boolean {
  const before = nodeValues(flow.ui.nodes)
  return [...traitValues(traits, schema.inputs)].some(
    ([name, value]) => JSON.stringify(before.get(name)) !== JSON.stringify(value),
  )
}
