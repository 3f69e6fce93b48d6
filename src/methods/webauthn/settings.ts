import { NO_PART } from '../../flows/engine/compose.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { inputNode } from '../../flows/nodes.ts'
import { refused } from '../../flows/refused.ts'
import type { Change, SettingsMethod, SettingsRequest } from '../../flows/settings/method.ts'
import type { Identity } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import { challengeContext, newChallenge } from '../../webauthn/challenge.ts'
import { keyName, newKey, ringOf } from '../../webauthn/enrol.ts'
import { handleOf } from '../../webauthn/keys.ts'
import { keyMessages } from '../../webauthn/messages.ts'
import { keyButton, scriptNode } from '../../webauthn/nodes.ts'
import { securityKeyCreation } from '../../webauthn/options.ts'
import { addKey, type KeyChangeDeps, removeButtons, removeKey } from '../../webauthn/settings.ts'
import { ASKED, WEBAUTHN, type WebauthnDeps, webauthnConfig, webauthnIdentifiers } from './keys.ts'

export interface WebauthnSettingsDeps extends WebauthnDeps, KeyChangeDeps {
  clock: Clock
}

const [ANSWER, NAME, REMOVE] = ['webauthn_register', 'webauthn_register_displayname', 'webauthn_remove']

/** Security keys: second factors, or with `passwordless` first ones. In browsers alone. */
export function webauthnSettings(d: WebauthnSettingsDeps): SettingsMethod {
  return {
    id: WEBAUTHN,
    async form({ flow, identity, account }) {
      const on = webauthnConfig(d)
      if (!on || flow.type === 'api') return NO_PART
      const { credentials } = await account()
      const ring = ringOf(credentials, WEBAUTHN, identity.id)
      const userHandle = ring.userHandle.length > 0 ? ring.userHandle : handleOf(identity.id)
      const challenge = newChallenge(d.random)
      const user = { id: userHandle, name: on.rp.name, displayName: on.rp.name }
      const options = securityKeyCreation({ rp: on.rp, user, challenge, exclude: ring.keys.map(({ id }) => id) })
      return {
        nodes: [
          ...removeButtons(
            { id: identity.id, credentials },
            { type: WEBAUTHN, name: REMOVE!, label: keyMessages.removeKey },
            d.config().selfservice.methods.code,
          ),
          inputNode(WEBAUTHN, NAME!, 'text', { value: '', label: keyMessages.keyName }),
          inputNode(WEBAUTHN, ANSWER!, 'hidden', { value: '' }),
          keyButton('webauthn_register_trigger', 'oryWebAuthnRegistration', options, keyMessages.addKey),
          scriptNode(d.publicBaseUrl(), uuid(d.random)),
        ],
        context: { [ASKED]: challengeContext({ rpId: on.rp.id, challenge, userHandle }, 'discouraged') },
      }
    },
    takes: (form, flow) => flow.type === 'browser' && [ANSWER, REMOVE].some((name) => fieldText(form, name!) !== ''),
    async change(request) {
      if (!webauthnConfig(d)) throw methodDisabled()
      request.requirePrivilege()
      const remove = fieldText(request.form, REMOVE!)
      if (remove === '') return add(d, request)
      const missing = messages.generic('You tried to remove a WebAuthn credential which does not exist.')
      return removeKey(d, request, { type: WEBAUTHN, hexId: remove, missing })
    },
    waiting: (form) => ({
      webauthn_register: fieldText(form, ANSWER!),
      webauthn_register_displayname: fieldText(form, NAME!),
      webauthn_remove: fieldText(form, REMOVE!),
    }),
  }
}

async function add(
  d: WebauthnSettingsDeps,
  { flow, form, session, identity, schema }: SettingsRequest,
): Promise<Change> {
  const { rp, passwordless } = webauthnConfig(d)!
  const displayName = keyName(form, NAME!)
  if (displayName === '') throw refused(messages.missing(NAME!), NAME)
  const as = { now: d.clock.now(), displayName, passwordless }
  const made = await newKey(fieldText(form, ANSWER!), flow.context[ASKED], rp, as)
  const identifiersOf = ({ traits }: Pick<Identity, 'traits'>) => {
    const identifiers = webauthnIdentifiers(schema, traits)
    if (identifiers.length === 0) throw refused(messages.noIdentifier)
    return identifiers
  }
  identifiersOf(identity)
  const aal = passwordless ? 'aal1' : 'aal2'
  return addKey(d, session, { type: WEBAUTHN, ...made, identifiersOf, rpId: rp.id }, { method: WEBAUTHN, aal })
}
