import type { Channel } from '../../courier/types.ts'
import { messages } from '../../flows/messages.ts'
import { csrfNode, inputNode, submitNode } from '../../flows/nodes.ts'
import type { UiNode } from '../../flows/types.ts'
import { codeNode, GROUP } from './recovery-form.ts'

const hidden = (name: string, value: string) => inputNode(GROUP, name, 'hidden', { value })
const goOn = () => submitNode(GROUP, 'code', messages.continue)
const back = () => submitNode(GROUP, 'previous', messages.previousStep, 'screen')

export const addressNodes = (csrfToken: string): UiNode[] => [
  csrfNode(csrfToken),
  inputNode(GROUP, 'recovery_address', 'text', { required: true, label: messages.recoveryAddress }),
  goOn(),
]

/** @param named the address in full, from the screen before */
export const choiceNodes = (
  csrfToken: string,
  named: string,
  offers: readonly { value: string; masked: string }[],
): UiNode[] => [
  csrfNode(csrfToken),
  ...offers.map(({ value, masked }) => submitNode(GROUP, value, messages.label(masked), 'recovery_select_address')),
  hidden('method', 'code'),
  hidden('recovery_address', named),
]

export const confirmNodes = (csrfToken: string, { named, channel }: { named: string; channel: Channel }): UiNode[] => [
  csrfNode(csrfToken),
  inputNode(GROUP, 'recovery_confirm_address', channel === 'email' ? 'email' : 'tel', {
    value: '',
    required: true,
    label: channel === 'email' ? messages.email : messages.phoneNumber,
  }),
  hidden('recovery_address', named),
  goOn(),
  hidden('method', 'code'),
  back(),
]

/** @param confirmed the address that the code was sent to: the button sends another one there */
export const sentToNodes = (
  csrfToken: string,
  { named, confirmed }: { named: string; confirmed: string },
): UiNode[] => [
  csrfNode(csrfToken),
  codeNode(),
  goOn(),
  hidden('method', 'code'),
  submitNode(GROUP, confirmed, messages.resendCode, 'recovery_confirm_address'),
  hidden('recovery_address', named),
  back(),
]
