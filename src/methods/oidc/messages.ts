import type { CodeUse } from '../../credentials/descriptor.ts'
import { firstFactorTypes } from '../../credentials/first-factors.ts'
import { info, messages } from '../../flows/messages.ts'
import type { UiMessage } from '../../flows/types.ts'
import type { FullIdentity } from '../../identities/types.ts'
import { linkedOf } from './credential.ts'
import type { Provider } from './kind.ts'

export const labelOf = ({ id, label }: Provider) => label || id

const named = (id: number, text: string, provider: Provider, context: UiMessage['context'] = {}): UiMessage => ({
  ...info(id, text),
  context: { provider: labelOf(provider), ...context },
})

export const signInWith = (one: Provider) =>
  named(1010002, `Sign in with ${labelOf(one)}`, one, { provider_id: one.id })
export const confirmWith = (one: Provider) =>
  named(1010018, `Confirm with ${labelOf(one)}`, one, { provider_id: one.id })
export const signUpWith = (one: Provider) =>
  named(1040002, `Sign up with ${labelOf(one)}`, one, { provider_id: one.id })
export const linkTo = (one: Provider) => named(1050002, `Link ${labelOf(one)}`, one)
export const unlinkFrom = (one: Provider) => named(1050003, `Unlink ${labelOf(one)}`, one)
export const goOn = info(1040003, 'Continue')

/** In the provider's own words, which may be anything; the context says what a page can say in its own. */
export function refusedByProvider(one: Provider, error: string, description: string): UiMessage {
  const said = `the OpenID Provider returned error ${JSON.stringify(error)}: ${description}`
  const { context, ...message } = messages.generic(`Unable to complete OpenID Connect flow because ${said}`)
  return { ...message, context: { ...context, provider: labelOf(one), provider_error: error } }
}

/** @param hints the methods of the identity that may be revealed */
export function accountExists(
  one: Provider,
  identifier: string,
  newLoginUrl: string,
  hints: FullIdentity | undefined,
  codes: CodeUse,
): UiMessage {
  const label = one.label || one.provider
  const kinds = hints ? firstFactorTypes(hints, codes) : []
  return {
    ...info(
      1010016,
      `You tried to sign in with "${identifier}", but that email is already used by another account. Sign in to your account with one of the options below to add your account "${identifier}" at "${label}" as another way to sign in.`,
    ),
    context: {
      provider: label,
      newLoginUrl,
      new_login_url: newLoginUrl,
      duplicateIdentifier: identifier,
      duplicate_identifier: identifier,
      available_credential_types: kinds,
      available_providers: [...new Set(linkedOf(hints?.credentials ?? []).map(({ provider }) => provider))],
    },
  }
}
