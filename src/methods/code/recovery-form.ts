import { messages } from '../../flows/messages.ts'
import { csrfNode, inputNode, submitNode } from '../../flows/nodes.ts'
import type { UiNode } from '../../flows/types.ts'
import { CODE_LENGTH } from '../../kernel/crypto/one-time.ts'

export const GROUP = 'code'

export const askNodes = (csrfToken: string): UiNode[] => [
  csrfNode(csrfToken),
  inputNode(GROUP, 'email', 'email', { required: true, label: messages.email }),
  submitNode(GROUP, 'code', messages.continue),
]

export const codeNode = () =>
  inputNode(GROUP, 'code', 'text', {
    required: true,
    pattern: '[0-9]+',
    maxlength: CODE_LENGTH,
    label: messages.recoveryCode,
  })

/** There is no address to write to, and no browser to compare a token with. */
export const handedOutNodes = (): UiNode[] => [codeNode(), submitNode(GROUP, 'code', messages.continue)]

/** @param email as it was typed: the button sends it again */
export const sentNodes = (csrfToken: string, email: string): UiNode[] => [
  csrfNode(csrfToken),
  codeNode(),
  inputNode(GROUP, 'method', 'hidden', { value: 'code' }),
  submitNode(GROUP, 'code', messages.continue),
  submitNode(GROUP, email, messages.resendCode, 'email'),
]
