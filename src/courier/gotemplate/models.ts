import { Dict, Headers, Int, List, type Value } from './values.ts'

/** A member of the data of a message. */
export interface Member {
  name: string
  /** Its name in JSON; headers have none, they are not kept with the message. */
  json?: string
  /** Its value where the data has none. */
  zero: Value
}

const COMMON = 'To RequestURL TransientPayload'
const CODE = 'Identity ExpiresInMinutes UserRequestHeaders'

const MEMBERS: Record<string, string> = {
  'email.recovery_code_valid': `RecoveryCode ${CODE}`,
  'email.recovery_code_invalid': '',
  'email.verification_code_valid': 'VerificationURL VerificationCode Identity ExpiresInMinutes',
  'email.verification_code_invalid': '',
  'email.recovery_valid': 'RecoveryURL Identity ExpiresInMinutes',
  'email.recovery_invalid': '',
  'email.verification_valid': 'VerificationURL Identity ExpiresInMinutes',
  'email.verification_invalid': '',
  'email.login_code_valid': `LoginCode ${CODE}`,
  'email.registration_code_valid': 'RegistrationCode Traits ExpiresInMinutes UserRequestHeaders',
  'email.account_changed_valid': 'Changes ChangedAt Identity',
  'sms.account_changed_valid': 'Changes ChangedAt Identity',
  'sms.recovery_code_valid': `RecoveryCode RequestURLDomain ${CODE}`,
  'sms.verification_code_valid': 'VerificationCode Identity ExpiresInMinutes',
  'sms.login_code_valid': `LoginCode ${CODE}`,
  'sms.registration_code_valid': `RegistrationCode ${CODE}`,
}

/** What Kratos hands to the template of each message, by `channel.message`, and what a message of our own has. */
export const MODELS: ReadonlyMap<string, readonly Member[]> = new Map(
  Object.entries(MEMBERS).map(([model, names]) => [
    model,
    `${COMMON} ${names}`
      .trim()
      .split(' ')
      .map((name) => member(name, model)),
  ]),
)

function member(name: string, model: string): Member {
  const zero = zeroOf(name)
  if (name === 'UserRequestHeaders') return { name, zero }
  if (name === 'RecoveryCode' && model.startsWith('sms.')) return { name, zero, json: 'verification_code' }
  return { name, zero, json: name.replace(/([a-z])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3_$2').toLowerCase() }
}

function zeroOf(name: string): Value {
  if (name === 'ExpiresInMinutes') return new Int(0)
  if (name === 'UserRequestHeaders') return new Headers(new Map(), true)
  if (name === 'Changes') return new List([], 'string', true)
  return name === 'Identity' || name === 'Traits' || name === 'TransientPayload'
    ? new Dict(new Map(), undefined, true)
    : ''
}
