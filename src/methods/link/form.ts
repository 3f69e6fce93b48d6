import { messages } from '../../flows/messages.ts'
import { csrfNode, inputNode, submitNode } from '../../flows/nodes.ts'
import type { UiNode } from '../../flows/types.ts'

export const GROUP = 'link'

/** One form for the first message and for further ones. @param email as it was typed */
export const linkNodes = (csrfToken: string, email?: string): UiNode[] => [
  csrfNode(csrfToken),
  inputNode(GROUP, 'email', 'email', {
    required: true,
    label: messages.email,
    ...(email === undefined ? {} : { value: email }),
  }),
  submitNode(GROUP, 'link', messages.continue),
]

export const isOfLink = ({ ui }: { ui: { nodes: readonly UiNode[] } }) => ui.nodes.some(({ group }) => group === GROUP)
