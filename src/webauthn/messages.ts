import { error, info, messages } from '../flows/messages.ts'
import type { UiMessage } from '../flows/types.ts'
import { type Key, MAX_KEYS } from './keys.ts'

function removal(id: number, what: string, { displayName, addedAt }: Key): UiMessage {
  const name = displayName === '' ? 'unnamed' : displayName
  const context = { display_name: name, added_at: addedAt, added_at_unix: Math.floor(Date.parse(addedAt) / 1000) || 0 }
  return { ...info(id, `Remove ${what} "${name}"`), context }
}

/** @see https://www.ory.com/docs/kratos/concepts/ui-user-interface */
export const keyMessages = {
  useKey: info(1010008, 'Sign in with hardware key'),
  prepare: info(
    1010012,
    'Prepare your WebAuthn device (e.g. security key, biometrics scanner, ...) and press continue.',
  ),
  proceed: info(1010013, 'Continue'),
  usePasskey: info(1010021, 'Sign in with passkey'),
  signUpWithKey: info(1040004, 'Sign up with security key'),
  signUpWithPasskey: info(1040007, 'Sign up with passkey'),
  addKey: info(1050012, 'Add security key'),
  keyName: info(1050013, 'Name of the security key'),
  removeKey: (key: Key) => removal(1050018, 'security key', key),
  addPasskey: info(1050019, 'Add passkey'),
  removePasskey: (key: Key) => removal(1050020, 'passkey', key),
  unknownAccount: error(4000015, 'This account does not exist or has no security key set up.'),
  unreadable: messages.generic('Unable to parse WebAuthn response.'),
  unreadableNew: messages.generic('Unable to parse WebAuthn response: Parse error for Registration'),
  idTooLong: messages.generic('Unable to parse WebAuthn response: Error parsing attestation response'),
  notForThisForm: messages.generic('The answer of the key does not belong to this form. Try again.'),
  elsewhere: (parties: readonly string[], here: string) =>
    messages.generic(
      `Your keys were set up for ${parties.join(', ')} and do not work for ${here}. Use another way to sign in.`,
    ),
  twice: messages.generic('This key is set up already.'),
  tooMany: messages.generic(`You have ${MAX_KEYS} keys, and more are not kept. Remove one that you do not use.`),
  badName: messages.generic('The name of a key has 200 characters at most, and no control characters.'),
  lastWayIn: messages.generic('unable to remove this security key because it would lock you out of your account'),
}
