import type { Json, TraitInput } from '../../identities/types.ts'
import { messages } from '../messages.ts'
import { csrfNode, passwordNode, submitNode, traitNode } from '../nodes.ts'
import type { Ui, UiNode } from '../types.ts'

/**
 * - `unified`: traits and password at once
 * - `profile`: the traits
 * - `credentials`: the password; the traits are carried along unseen
 */
export type Screen = 'unified' | 'profile' | 'credentials'

export interface RegistrationFormInput {
  action: string
  csrfToken: string
  screen: Screen
  inputs: readonly TraitInput[]
  values: ReadonlyMap<string, Json>
  /** whether the password method is switched on */
  password: boolean
  /** group of the traits on the unified screen */
  traitGroup: string
}

export function registrationForm(f: RegistrationFormInput): Ui {
  const look = { group: f.screen === 'unified' ? f.traitGroup : 'default', hidden: f.screen === 'credentials' }
  const traits = f.inputs.map((input) => traitNode(input, f.values.get(input.name), look))
  const withPassword = f.password && f.screen !== 'profile'
  const [first, ...rest] = traits
  return {
    action: f.action,
    method: 'POST',
    nodes: [
      csrfNode(f.csrfToken),
      ...(first ? [first] : []),
      ...(withPassword ? [passwordNode('new-password')] : []),
      ...rest,
      ...buttons(f.screen, withPassword),
    ],
    ...(f.screen === 'credentials' ? { messages: [messages.chooseCredential] } : {}),
  }
}

function buttons(screen: Screen, withPassword: boolean): UiNode[] {
  if (screen === 'profile') return [submitNode('profile', 'profile', messages.signUp)]
  return [
    ...(withPassword ? [submitNode('password', 'password', messages.signUp)] : []),
    ...(screen === 'credentials' ? [submitNode('profile', 'previous', messages.back, 'screen')] : []),
  ]
}
