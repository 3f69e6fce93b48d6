import type { NextForm, OtherKind } from '../../../flows/engine/step.ts'
import { fieldText } from '../../../flows/form.ts'
import type { Proved } from '../../../flows/login/method.ts'
import type { CheckedRegistration } from '../../../flows/registration/method.ts'
import type { RegistrationFlow } from '../../../flows/registration/types.ts'
import type { SubmittedForm } from '../../../flows/types.ts'
import type { IdentityService } from '../../../identities/service.ts'
import type { Json } from '../../../identities/types.ts'
import { type ClaimedRegistrations, NotEnough } from '../claimed-registration.ts'
import { holdLink, identifierOf, OIDC } from '../credential.ts'
import { type ProviderSignIn, proofOf } from '../sign-in.ts'

export interface IdTokenDeps {
  providers: Pick<ProviderSignIn, 'find' | 'submitted'>
  claimedRegistrations: ClaimedRegistrations
  identities: Pick<IdentityService, 'findByIdentifier' | 'holdConfig'>
}

/** Apps that signed in with the provider's own library send its id token: no browser is redirected. */
export const bringsIdToken = (form: SubmittedForm): boolean => fieldText(form, 'id_token') !== ''

export type IdTokens = ReturnType<typeof createIdTokens>

export function createIdTokens(d: IdTokenDeps) {
  async function read(form: SubmittedForm) {
    const known = await d.providers.submitted(d.providers.find(fieldText(form, 'provider')), form)
    const identity = await d.identities.findByIdentifier(OIDC, identifierOf(known.provider.id, known.subject))
    return { known, identity }
  }
  return {
    /** @throws HttpError 403 for a token that is not the provider's, 502 for one without a subject */
    async login(form: SubmittedForm): Promise<Proved | OtherKind> {
      const { known, identity } = await read(form)
      if (!identity) return { kind: 'otherKind' }
      return { kind: 'proved', identity, ...proofOf(known), write: (tx) => holdLink(d.identities, identity, tx) }
    },

    /** @param traits from the app. @throws as `login` */
    async register(
      flow: RegistrationFlow,
      form: SubmittedForm,
      traits: Json,
    ): Promise<CheckedRegistration | NextForm | OtherKind> {
      const { known, identity } = await read(form)
      if (identity) return { kind: 'otherKind' }
      try {
        return (await d.claimedRegistrations.make(flow, known, traits)).checked
      } catch (error) {
        if (error instanceof NotEnough) return { kind: 'form', active: OIDC, ...error.form }
        throw error
      }
    },
  }
}
