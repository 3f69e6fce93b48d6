import { newPassword } from '../../credentials/password.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { passwordNode, submitNode } from '../../flows/nodes.ts'
import { refused } from '../../flows/refused.ts'
import type { RegistrationMethod } from '../../flows/registration/method.ts'
import { hashPassword, judgePassword, type NewPasswordDeps } from './new-password.ts'
import { shareOf } from './share.ts'

export type PasswordRegistrationDeps = NewPasswordDeps

export function passwordRegistration(d: PasswordRegistrationDeps): RegistrationMethod {
  const enabled = () => d.config().selfservice.methods.password.enabled
  return {
    id: 'password',
    mayRepeat: true,
    async form({ screen }) {
      if (!enabled() || screen === 'profile') return NO_PART
      return { nodes: [passwordNode('new-password'), submitNode('password', 'password', messages.signUp)] }
    },
    takes: (form) => fieldText(form, 'method') === 'password' && enabled(),
    async register({ form, caller, traits, checkTraits }) {
      const password = fieldText(form, 'password')
      const missing = password === '' ? [{ path: 'password', message: messages.missing('password') }] : []
      const identifiers = checkTraits(traits, missing).identifiers.get('password') ?? []
      if (identifiers.length === 0) throw refused(messages.noIdentifier)
      await judgePassword(d, password, identifiers)
      const hash = await hashPassword(d, password, shareOf(identifiers[0]!, caller.client))
      return {
        kind: 'checked',
        traits,
        credentials: [newPassword({ hashed_password: hash })],
        authentication: { method: 'password', aal: 'aal1' },
      }
    },
  }
}
