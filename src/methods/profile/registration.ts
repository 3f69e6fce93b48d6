import type { Config } from '../../config/schema/schema.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { submitNode } from '../../flows/nodes.ts'
import { isTwoStep } from '../../flows/registration/begin.ts'
import type { RegistrationMethod } from '../../flows/registration/method.ts'

/** The traits on a screen of their own, before the methods. */
export function profileRegistration(d: { config(): Config }): RegistrationMethod {
  return {
    id: 'profile',
    async form({ screen }) {
      if (screen === 'profile') return { nodes: [submitNode('profile', 'profile', messages.signUp)] }
      if (screen === 'credentials') return { nodes: [submitNode('profile', 'previous', messages.back, 'screen')] }
      return NO_PART
    },
    takes: (form) =>
      isTwoStep(d.config()) &&
      (fieldText(form, 'screen') !== '' || ['profile', 'profile:back'].includes(fieldText(form, 'method'))),
    /** On to the credentials only with traits that are valid. */
    async register({ form, traits, checkTraits }) {
      const back = fieldText(form, 'screen') === 'previous' || fieldText(form, 'method') === 'profile:back'
      if (!back) checkTraits(traits)
      return { kind: 'screen', screen: back ? 'profile' : 'credentials' }
    },
  }
}
