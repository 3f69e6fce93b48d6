import { type FormPart, NO_PART } from '../../flows/engine/compose.ts'
import { nameOf } from '../../flows/engine/order.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText } from '../../flows/form.ts'
import { identifierNode } from '../../flows/login/form.ts'
import type { LoginMethod, LoginView } from '../../flows/login/method.ts'
import { messages } from '../../flows/messages.ts'
import { cleared, inputNode } from '../../flows/nodes.ts'
import { refused } from '../../flows/refused.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { FullIdentity } from '../../identities/types.ts'
import { uuid } from '../../kernel/base/uuid.ts'
import { challengeContext, newChallenge } from '../../webauthn/challenge.ts'
import { ringOf } from '../../webauthn/enrol.ts'
import { type Fitting, type FittingDeps, fittingKeys, NO_KEYS, noneFits } from '../../webauthn/fitting.ts'
import { keyMessages } from '../../webauthn/messages.ts'
import { calls, forAutofill, scriptNode } from '../../webauthn/nodes.ts'
import { passkeyUse } from '../../webauthn/options.ts'
import { isRemoved, type RemovedKeysDeps, tellingOf } from '../../webauthn/removed.ts'
import type { KeyPartyStore } from '../../webauthn/store.ts'
import { proveKey, readAnswer, type UseDeps } from '../../webauthn/use.ts'
import { ASKED, KEYS_OF_EITHER_KIND, PASSKEY, type PasskeyDeps, passkeyParty } from './keys.ts'
import { displayName } from './name.ts'

export interface PasskeyLoginDeps extends PasskeyDeps, UseDeps, FittingDeps, RemovedKeysDeps {
  keyParties: KeyPartyStore
  identities: UseDeps['identities'] & Pick<IdentityService, 'get' | 'findByIdentifier' | 'findByUserHandle'>
}

const ANSWER = 'passkey_login'
const CHALLENGE = 'passkey_challenge'
const TRIGGER = 'passkey_login_trigger'

/** A discoverable key: nothing is typed. */
export function passkeyLogin(d: PasskeyLoginDeps): LoginMethod {
  return {
    id: PASSKEY,
    async form(view) {
      const { purpose, flow, account, schema } = view
      if (!passkeyParty(d) || purpose.kind === 'secondFactor') return NO_PART
      const native = flow.type === 'api'
      if (purpose.kind === 'identifier') {
        const part = keyPart(view, [], { native, onload: true })
        return { ...part, nodes: part.nodes.filter((node) => nameOf(node) !== TRIGGER) }
      }
      if (purpose.kind === 'firstFactor' && purpose.identifier !== undefined) {
        return (await mayHaveKey(view)) ? { nodes: [triggerNode(native)] } : NO_PART
      }
      if (purpose.kind === 'firstFactor') {
        const part = keyPart(view, [], { native, onload: true })
        return { ...part, nodes: [forAutofill(identifierNode(schema)), ...part.nodes] }
      }
      const identity = await account()
      const { keys, elsewhere } = identity ? await fitting(identity) : NO_KEYS
      if (!identity || keys.length === 0) return noneFits(elsewhere, passkeyParty(d)!.id)
      const part = keyPart(
        view,
        keys.map(({ id }) => id),
        { native, onload: false },
      )
      return { ...part, nodes: [identifierNode(displayName(schema, identity.traits)), ...part.nodes] }
    },
    takes: (form, flow) =>
      flow.requested_aal === 'aal1' && (fieldText(form, 'method') === PASSKEY || fieldText(form, ANSWER) !== ''),
    kept: () => new Map(),
    async login({ flow, form, csrfToken }) {
      const rp = passkeyParty(d)
      if (!rp) throw methodDisabled()
      if (fieldText(form, ANSWER) === '') return { kind: 'form', asLocation: true }
      const answer = readAnswer(form, ANSWER)
      const identity = answer.userHandle && (await ownerOf(answer.userHandle))
      const own = identity ? ownKeys(identity) : []
      const found = own.find(({ key }) => key.id.equals(answer.id))
      if (!identity || !found) {
        const message = own.length === 0 ? keyMessages.unknownAccount : messages.wrongCode
        if (flow.type === 'api' || !(await isRemoved(d, answer.id, KEYS_OF_EITHER_KIND))) throw refused(message)
        const gone = { rpId: rp.id, credentialId: answer.id.toString('base64url') }
        const nodes = tellingOf(cleared(flow.ui, new Map([['csrf_token', csrfToken]])).nodes, CHALLENGE, [gone])
        return { kind: 'form', nodes, messages: [message] }
      }
      const use = { asked: flow.context[ASKED], rp, identity, type: found.type, keys: [found.key], answer }
      return proveKey(d, use, { method: PASSKEY, aal: 'aal1' })
    },
  }

  async function fitting(identity: FullIdentity): Promise<Fitting> {
    const own = ownKeys(identity).map(({ key }) => key)
    return own.length > 0 ? fittingKeys(d, identity.id, own, passkeyParty(d)!.id) : NO_KEYS
  }

  function keyPart(
    { flow: { type } }: LoginView,
    allow: readonly Buffer[],
    { native, onload }: { native: boolean; onload: boolean },
  ): FormPart {
    const { id: rpId } = passkeyParty(d)!
    const challenge = newChallenge(d.random)
    const options = JSON.stringify(passkeyUse({ rpId, challenge, allow }))
    const start = onload ? calls('onload', 'oryPasskeyLoginAutocompleteInit', native) : {}
    return {
      nodes: [
        ...(type === 'api' ? [] : [scriptNode(d.publicBaseUrl(), uuid(d.random))]),
        triggerNode(native),
        inputNode(PASSKEY, ANSWER, 'hidden', start),
        inputNode(PASSKEY, CHALLENGE, 'hidden', { value: options }),
      ],
      context: { [ASKED]: challengeContext({ rpId, challenge, allowed: allow }, 'preferred') },
    }
  }

  async function mayHaveKey({ account }: LoginView): Promise<boolean> {
    if (d.config().security.account_enumeration.mitigate) return true
    const identity = await account()
    return identity !== undefined && ringOf(identity.credentials, PASSKEY, identity.id).keys.length > 0
  }

  async function ownerOf(handle: Buffer): Promise<FullIdentity | undefined> {
    const text = handle.toString('latin1')
    const own = /^[A-Za-z0-9]{1,64}$/.test(text) ? await d.identities.findByIdentifier(PASSKEY, text) : undefined
    return own ?? d.identities.findByUserHandle(handle)
  }
}

const triggerNode = (native: boolean) =>
  inputNode(PASSKEY, TRIGGER, 'button', {
    value: '',
    label: keyMessages.usePasskey,
    ...calls('onclick', 'oryPasskeyLogin', native),
  })

/** Passkeys, and security keys that are a first factor as well. */
const ownKeys = ({ id, credentials }: FullIdentity) =>
  KEYS_OF_EITHER_KIND.flatMap((type) =>
    ringOf(credentials, type, id)
      .keys.filter((key) => type === PASSKEY || key.passwordless)
      .map((key) => ({ type, key })),
  )
