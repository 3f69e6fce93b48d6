import { NO_PART } from '../../flows/engine/compose.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import { inputNode } from '../../flows/nodes.ts'
import { FormRefused, refused } from '../../flows/refused.ts'
import type { RegistrationMethod } from '../../flows/registration/method.ts'
import type { JsonObject } from '../../identities/types.ts'
import { isObject } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import { challengeContext, inStoredOrder, newChallenge, readChallenge } from '../../webauthn/challenge.ts'
import { keyName, newKey } from '../../webauthn/enrol.ts'
import { keyRingConfig } from '../../webauthn/keys.ts'
import { keyMessages } from '../../webauthn/messages.ts'
import { keyButton, scriptNode } from '../../webauthn/nodes.ts'
import { securityKeyCreation } from '../../webauthn/options.ts'
import type { RelyingParty } from '../../webauthn/origins.ts'
import type { KeyPartyStore } from '../../webauthn/store.ts'
import { ASKED, WEBAUTHN, type WebauthnDeps, webauthnConfig } from './keys.ts'

export interface WebauthnRegistrationDeps extends WebauthnDeps {
  clock: Clock
  keyParties: Pick<KeyPartyStore, 'note'>
}

const [ANSWER, NAME] = ['webauthn_register', 'webauthn_register_displayname']
/** Member of a flow's context: the options on its screens. */
const OPTIONS = 'webauthn_session_options'
const HANDLE_BYTES = 16

/** Registration with a security key instead of a password. In browsers alone. */
export function webauthnRegistration(d: WebauthnRegistrationDeps): RegistrationMethod {
  return {
    id: WEBAUTHN,
    async form({ flow, screen }) {
      const on = webauthnConfig(d)
      if (!on?.passwordless || flow.type === 'api') return NO_PART
      const before = askedBefore(flow.context)
      if (screen === 'profile') return { nodes: [], context: before ? contextOf(before) : {} }
      const asked = before ?? ask(d, on.rp)
      return {
        nodes: [
          inputNode(WEBAUTHN, NAME!, 'text', { value: '', label: keyMessages.keyName }),
          inputNode(WEBAUTHN, ANSWER!, 'hidden', { value: '' }),
          keyButton('webauthn_register_trigger', 'oryWebAuthnRegistration', asked.options, keyMessages.signUpWithKey),
          scriptNode(d.publicBaseUrl(), uuid(d.random)),
        ],
        context: contextOf(asked),
      }
    },
    takes: (form, flow) =>
      flow.type === 'browser' && (fieldText(form, 'method') === WEBAUTHN || fieldText(form, ANSWER!) !== ''),
    kept: (form) => new Map(fieldText(form, ANSWER!) === '' ? [[NAME!, fieldText(form, NAME!)]] : []),
    async register({ flow, form, traits, checkTraits }) {
      const on = webauthnConfig(d)
      if (!on?.passwordless) throw methodDisabled()
      const answer = fieldText(form, ANSWER!)
      if (answer === '') {
        const missing = (name: string) => ({ path: name, message: messages.missing(name) })
        throw new FormRefused([missing('identifier'), missing(ANSWER!)])
      }
      if ((checkTraits(traits).identifiers.get(WEBAUTHN) ?? []).length === 0) throw refused(messages.noIdentifier)
      const as = { now: d.clock.now(), displayName: keyName(form, NAME!), passwordless: true }
      const { key, userHandle } = await newKey(answer, flow.context[ASKED], on.rp, as)
      const config = keyRingConfig({ keys: [key], userHandle })
      return {
        kind: 'checked',
        traits,
        credentials: [{ type: WEBAUTHN, config, version: 1, identifiers: [] }],
        authentication: { method: WEBAUTHN, aal: 'aal1' },
        write: (tx, identity) => d.keyParties.note({ identityId: identity.id, id: key.id, rpId: on.rp.id }, tx),
      }
    },
  }
}

interface Asked {
  session: JsonObject
  options: JsonObject
}

function ask(d: WebauthnDeps, rp: RelyingParty): Asked {
  const challenge = newChallenge(d.random)
  const userHandle = d.random(HANDLE_BYTES)
  const user = { id: userHandle, name: rp.name, displayName: rp.name }
  return {
    session: challengeContext({ rpId: rp.id, challenge, userHandle }, 'discouraged'),
    options: inStoredOrder(securityKeyCreation({ rp, user, challenge, exclude: [] })) as JsonObject,
  }
}

const contextOf = ({ session, options }: Asked): JsonObject => ({ [ASKED]: session, [OPTIONS]: options })

/** All screens of a flow have the same challenge: a key that was made on one is accepted on the other. */
function askedBefore({ [ASKED]: session, [OPTIONS]: options }: JsonObject): Asked | undefined {
  return readChallenge(session) && isObject(options) ? { session: session as JsonObject, options } : undefined
}
