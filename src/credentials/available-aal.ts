import type { Json, StoredCredential } from '../identities/types.ts'

type Credential = Pick<StoredCredential, 'type' | 'identifiers' | 'config'>

const filled = (value: Json | undefined) =>
  Array.isArray(value) ? value.length > 0 : typeof value === 'string' && value !== ''

function webauthn(config: Credential['config'], passwordless: boolean): boolean {
  const keys = Array.isArray(config.credentials) ? config.credentials : []
  return keys.some((key) => (Object(key) as { is_passwordless?: Json }).is_passwordless === passwordless)
}

/** Whether a credential alone lets its owner in. */
export function isFirstFactor({ type, identifiers, config }: Credential): boolean {
  switch (type) {
    case 'password':
      return filled(identifiers) && filled(config.hashed_password)
    case 'oidc':
    case 'saml':
      return filled(identifiers) && filled(config.providers)
    case 'passkey':
      return filled(config.credentials)
    case 'webauthn':
      return webauthn(config, true)
    default:
      return false
  }
}

function isSecondFactor({ type, config }: Credential): boolean {
  switch (type) {
    case 'totp':
      return filled(config.totp_url)
    case 'lookup_secret':
      return filled(config.recovery_codes)
    case 'webauthn':
      return webauthn(config, false)
    default:
      return false
  }
}

/** The highest assurance level that an identity can reach with what it has. */
export function availableAal(credentials: readonly Credential[]): 'aal0' | 'aal1' | 'aal2' {
  if (!credentials.some(isFirstFactor)) return 'aal0'
  return credentials.some(isSecondFactor) ? 'aal2' : 'aal1'
}
