import type { IdentitySchema, Json } from '../../identities/types.ts'
import { messages } from '../messages.ts'
import { csrfNode, passwordNode, submitNode, traitNode } from '../nodes.ts'
import { traitValues } from '../traits.ts'
import type { Ui } from '../types.ts'

export interface SettingsFormInput {
  action: string
  csrfToken: string
  schema: Pick<IdentitySchema, 'inputs'>
  traits: Json
  /** which methods are switched on */
  methods: { profile: boolean; password: boolean }
}

export function settingsForm({ action, csrfToken, schema, traits, methods }: SettingsFormInput): Ui {
  const values = traitValues(traits, schema.inputs)
  const profile = schema.inputs.map((input) => traitNode(input, values.get(input.name), { group: 'profile' }))
  return {
    action,
    method: 'POST',
    nodes: [
      csrfNode(csrfToken),
      ...(methods.profile ? [...profile, submitNode('profile', 'profile', messages.save)] : []),
      ...(methods.password ? [passwordNode('new-password'), submitNode('password', 'password', messages.save)] : []),
    ],
  }
}
