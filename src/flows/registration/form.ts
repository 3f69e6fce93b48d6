import type { Json, TraitInput } from '../../identities/types.ts'
import { type Composed, composeForm, type FormPart } from '../engine/compose.ts'
import type { NodeOrder } from '../engine/order.ts'
import { messages } from '../messages.ts'
import { traitNode } from '../nodes.ts'
import type { InputNode } from '../types.ts'

/**
 * - `unified`: traits and credentials at once
 * - `profile`: the traits
 * - `credentials`: the methods; the traits are hidden inputs
 */
export type Screen = 'unified' | 'profile' | 'credentials'

export interface RegistrationFormInput {
  action: string
  csrfToken: string
  screen: Screen
  inputs: readonly TraitInput[]
  values: ReadonlyMap<string, Json>
  /** group of the traits on the unified screen */
  traitGroup: string
}

export function registrationForm(f: RegistrationFormInput, parts: readonly FormPart[]): Composed {
  const traits = {
    nodes: traitNodes(f),
    messages: f.screen === 'credentials' ? [messages.chooseCredential] : [],
  }
  return composeForm({ ...f, order: registrationOrder(f.inputs) }, [traits, ...parts])
}

export function traitNodes(f: Pick<RegistrationFormInput, 'screen' | 'inputs' | 'values' | 'traitGroup'>): InputNode[] {
  const look = { group: f.screen === 'unified' ? f.traitGroup : 'default', hidden: f.screen === 'credentials' }
  return f.inputs.map((input) => traitNode(input, f.values.get(input.name), look))
}

/** The password comes after the first trait, which most often is the identifier. */
export function registrationOrder(inputs: readonly TraitInput[]): NodeOrder {
  const [first, ...rest] = inputs.map(({ name }) => name)
  return {
    groups: ['oidc', 'saml', 'default', 'webauthn', 'passkey', 'code', 'password', 'captcha', 'profile'],
    names: [
      'csrf_token',
      ...(first === undefined ? [] : [first]),
      'password',
      ...rest,
      'webauthn_remove',
      'webauthn_register_displayname',
      'webauthn_register',
    ],
  }
}
