import { reaches } from '../../credentials/aal.ts'
import type { IdentitySchema } from '../../identities/types.ts'
import { type Composed, composeForm, type FormPart } from '../engine/compose.ts'
import { messages } from '../messages.ts'
import { inputNode } from '../nodes.ts'
import type { InputNode } from '../types.ts'
import type { LoginPurpose } from './method.ts'

/** Unlisted groups come first. */
export const LOGIN_ORDER = {
  groups: ['oidc', 'default', 'webauthn', 'passkey', 'code', 'password', 'totp', 'lookup_secret'],
  names: ['csrf_token', 'identifier', 'password'],
}

export function loginForm(
  f: { action: string; csrfToken: string; purpose: LoginPurpose },
  parts: readonly FormPart[],
): Composed {
  return composeForm({ ...f, order: LOGIN_ORDER }, [{ nodes: [], messages: purposeMessages(f.purpose) }, ...parts])
}

function purposeMessages(purpose: LoginPurpose) {
  switch (purpose.kind) {
    case 'identifier':
    case 'firstFactor':
      return []
    case 'refresh':
      return [messages.confirmItIsYou]
    case 'secondFactor': {
      const has = reaches(purpose.session.aal, 'aal2')
      return [...(purpose.refresh ? [messages.confirmItIsYou] : []), ...(has ? [] : [messages.secondFactor])]
    }
  }
}

/** @param of the schema labels the input; an identifier that is known is a hidden one */
export function identifierNode(of: Pick<IdentitySchema, 'identifierLabel'> | string): InputNode {
  if (typeof of === 'string') return inputNode('default', 'identifier', 'hidden', { value: of })
  const { identifierLabel: named } = of
  const label = named ? messages.trait(named.title, named.name) : messages.identifier
  return inputNode('default', 'identifier', 'text', { value: '', required: true, label })
}
