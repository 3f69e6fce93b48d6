import { NO_PART } from '../../flows/engine/compose.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { inputNode } from '../../flows/nodes.ts'
import type { Change, SettingsMethod, SettingsRequest } from '../../flows/settings/method.ts'
import type { FullIdentity } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import { challengeContext, newChallenge } from '../../webauthn/challenge.ts'
import { keyName, newKey, ringOf } from '../../webauthn/enrol.ts'
import { keyMessages } from '../../webauthn/messages.ts'
import { calls, scriptNode } from '../../webauthn/nodes.ts'
import { passkeyCreation } from '../../webauthn/options.ts'
import { addKey, type KeyChangeDeps, removeButtons, removeKey } from '../../webauthn/settings.ts'
import { ASKED, newHandle, PASSKEY, type PasskeyDeps, passkeyParty } from './keys.ts'
import { displayName } from './name.ts'

export interface PasskeySettingsDeps extends PasskeyDeps, KeyChangeDeps {
  clock: Clock
}

const ANSWER = 'passkey_settings_register'
/** Optional, and not in the form: Kratos asks for no name. */
const NAME = 'passkey_settings_register_displayname'
const REMOVE = 'passkey_remove'

export function passkeySettings(d: PasskeySettingsDeps): SettingsMethod {
  return {
    id: PASSKEY,
    async form({ flow, identity, schema, account }) {
      const rp = passkeyParty(d)
      if (!rp) return NO_PART
      const native = flow.type === 'api'
      const { credentials } = await account()
      const { keys } = ringOf(credentials, PASSKEY, identity.id)
      const [challenge, userHandle] = [newChallenge(d.random), newHandle(d.random)]
      const name = displayName(schema, identity.traits)
      const user = { id: userHandle, name, displayName: name }
      const options = passkeyCreation({ rp, user, challenge, exclude: keys.map(({ id }) => id) })
      const press = calls('onclick', 'oryPasskeySettingsRegistration', native)
      return {
        nodes: [
          ...(native ? [] : [scriptNode(d.publicBaseUrl(), uuid(d.random))]),
          ...removeButtons(
            { id: identity.id, credentials },
            { type: PASSKEY, name: REMOVE, label: keyMessages.removePasskey },
            d.config().selfservice.methods.code,
          ),
          inputNode(PASSKEY, 'passkey_register_trigger', 'button', {
            value: '',
            label: keyMessages.addPasskey,
            ...press,
          }),
          inputNode(PASSKEY, ANSWER, 'hidden'),
          inputNode(PASSKEY, 'passkey_create_data', 'hidden', { value: JSON.stringify(options) }),
        ],
        context: { [ASKED]: challengeContext({ rpId: rp.id, challenge, userHandle }, 'preferred') },
      }
    },
    takes: (form) => [ANSWER, REMOVE].some((name) => fieldText(form, name) !== ''),
    async change(request) {
      if (!passkeyParty(d)) throw methodDisabled()
      request.requirePrivilege()
      const hexId = fieldText(request.form, REMOVE)
      if (hexId === '') return add(d, request)
      const missing = messages.generic('You tried to remove a passkey which does not exist.')
      return removeKey(d, request, { type: PASSKEY, hexId, missing })
    },
    waiting: (form) => ({
      passkey_settings_register: fieldText(form, ANSWER),
      ...(fieldText(form, NAME) === '' ? {} : { [NAME]: fieldText(form, NAME) }),
      passkey_remove: fieldText(form, REMOVE),
    }),
  }
}

/** Each key has a user handle of its own, and each finds the person. */
async function add(d: PasskeySettingsDeps, { flow, form, session }: SettingsRequest): Promise<Change> {
  const as = { now: d.clock.now(), displayName: keyName(form, NAME), passwordless: true }
  const rp = passkeyParty(d)!
  const made = await newKey(fieldText(form, ANSWER), flow.context[ASKED], rp, as)
  const identifiersOf = ({ credentials }: FullIdentity) => {
    const known = credentials.find(({ type }) => type === PASSKEY)?.identifiers ?? []
    return [...known, made.userHandle.toString()]
  }
  return addKey(d, session, { type: PASSKEY, ...made, identifiersOf, rpId: rp.id }, { method: PASSKEY, aal: 'aal1' })
}
