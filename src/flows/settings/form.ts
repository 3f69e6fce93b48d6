import type { TraitInput } from '../../identities/types.ts'
import { type Composed, composeForm, type FormPart } from '../engine/compose.ts'

const GROUPS = ['default', 'profile', 'password', 'oidc', 'lookup_secret', 'webauthn', 'passkey', 'totp']
const NAMES = [
  'lookup_secret_reveal',
  'lookup_secret_regenerate',
  'lookup_secret_codes',
  'lookup_secret_confirm',
  'webauthn_remove',
  'webauthn_register_displayname',
  'webauthn_register',
  'passkey_remove',
  'passkey_register',
  'totp_qr',
  'totp_secret_key',
  'totp_unlink',
  'totp_code',
]

export function settingsForm(
  f: { action: string; csrfToken: string; inputs: readonly TraitInput[] },
  parts: readonly FormPart[],
): Composed {
  const order = { groups: GROUPS, names: [...f.inputs.map(({ name }) => name), ...NAMES] }
  return composeForm({ ...f, order }, parts)
}
