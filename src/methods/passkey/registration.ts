import { NO_PART } from '../../flows/engine/compose.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText } from '../../flows/form.ts'
import { inputNode } from '../../flows/nodes.ts'
import type { RegistrationMethod } from '../../flows/registration/method.ts'
import type { JsonObject } from '../../identities/types.ts'
import { isObject } from '../../identities/types.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import { challengeContext, inStoredOrder, newChallenge, readChallenge } from '../../webauthn/challenge.ts'
import { newKey } from '../../webauthn/enrol.ts'
import { keyRingConfig } from '../../webauthn/keys.ts'
import { keyMessages } from '../../webauthn/messages.ts'
import { calls, scriptNode } from '../../webauthn/nodes.ts'
import { passkeyCreation } from '../../webauthn/options.ts'
import type { RelyingParty } from '../../webauthn/origins.ts'
import type { KeyPartyStore } from '../../webauthn/store.ts'
import { ASKED, newHandle, PASSKEY, type PasskeyDeps, passkeyParty } from './keys.ts'

export interface PasskeyRegistrationDeps extends PasskeyDeps {
  clock: Clock
  keyParties: Pick<KeyPartyStore, 'note'>
}

const ANSWER = 'passkey_register'
/** Member of a flow's context: the options on its screens. */
const OPTIONS = 'passkey_session_options'

export function passkeyRegistration(d: PasskeyRegistrationDeps): RegistrationMethod {
  return {
    id: PASSKEY,
    async form({ flow, screen, schema }) {
      const rp = passkeyParty(d)
      if (!rp) return NO_PART
      const before = askedBefore(flow.context)
      if (screen === 'profile') return { nodes: [], context: before ? contextOf(before) : {} }
      const native = flow.type === 'api'
      const asked = before ?? ask(d, rp, schema.identifierLabel?.name ?? '')
      const press = calls('onclick', 'oryPasskeyRegistration', native)
      return {
        nodes: [
          ...(native ? [] : [scriptNode(d.publicBaseUrl(), uuid(d.random))]),
          inputNode(PASSKEY, 'passkey_register_trigger', 'button', { label: keyMessages.signUpWithPasskey, ...press }),
          inputNode(PASSKEY, ANSWER, 'hidden'),
          inputNode(PASSKEY, 'passkey_create_data', 'hidden', { value: JSON.stringify(asked.options) }),
        ],
        context: contextOf(asked),
      }
    },
    takes: (form) => !['', 'true'].includes(fieldText(form, ANSWER)),
    async register({ flow, form, traits, checkTraits }) {
      const rp = passkeyParty(d)
      if (!rp) throw methodDisabled()
      checkTraits(traits)
      const as = { now: d.clock.now(), displayName: '', passwordless: true }
      const { key, userHandle } = await newKey(fieldText(form, ANSWER), flow.context[ASKED], rp, as)
      const config = keyRingConfig({ keys: [key], userHandle })
      return {
        kind: 'checked',
        traits,
        credentials: [{ type: PASSKEY, config, version: 1, identifiers: [userHandle.toString()] }],
        authentication: { method: PASSKEY, aal: 'aal1' },
        write: (tx, identity) => d.keyParties.note({ identityId: identity.id, id: key.id, rpId: rp.id }, tx),
      }
    },
  }
}

interface Asked {
  session: JsonObject
  options: JsonObject
}

/** @param nameInput the input whose value the page gives to the authenticator as the person's name */
function ask(d: PasskeyDeps, rp: RelyingParty, nameInput: string): Asked {
  const [challenge, userHandle] = [newChallenge(d.random), newHandle(d.random)]
  // Until the page knows the person's: authenticators show no account without a name.
  const user = { id: userHandle, name: rp.name, displayName: rp.name }
  const credentialOptions = passkeyCreation({ rp, user, challenge, exclude: [] })
  return {
    session: challengeContext({ rpId: rp.id, challenge, userHandle }, 'preferred'),
    options: inStoredOrder({ credentialOptions, displayNameFieldName: nameInput }) as JsonObject,
  }
}

const contextOf = ({ session, options }: Asked): JsonObject => ({ [ASKED]: session, [OPTIONS]: options })

/** All screens of a flow have the same challenge: a key that was made on one is accepted on the other. */
function askedBefore({ [ASKED]: session, [OPTIONS]: options }: JsonObject): Asked | undefined {
  return readChallenge(session) && isObject(options) ? { session: session as JsonObject, options } : undefined
}
