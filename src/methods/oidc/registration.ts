import { NO_PART } from '../../flows/engine/compose.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText, transientPayload } from '../../flows/form.ts'
import { submitNode } from '../../flows/nodes.ts'
import type { RegistrationMethod } from '../../flows/registration/method.ts'
import { OIDC } from './credential.ts'
import { namesProvider, type OidcLoginDeps } from './login.ts'
import { signUpWith } from './messages.ts'
import { bringsIdToken } from './native/id-token.ts'

export function oidcRegistration(d: OidcLoginDeps): RegistrationMethod {
  return {
    id: OIDC,
    async form() {
      if (!d.providers.enabled()) return NO_PART
      return { nodes: d.providers.offered().map((one) => submitNode('oidc', one.id, signUpWith(one), 'provider')) }
    },
    takes: (form) => namesProvider(form),
    keepsCookies: true,
    async register({ flow, form, traits }) {
      if (!d.providers.enabled()) throw methodDisabled()
      if (bringsIdToken(form)) return d.idTokens.register(flow, form, traits)
      const provider = d.providers.find(fieldText(form, 'provider'))
      return d.providers.leave({
        kind: 'registration',
        provider,
        flow,
        refresh: false,
        form,
        traits,
        payload: transientPayload(form),
        initCode: await d.initCodeOf(flow.id),
      })
    },
  }
}
