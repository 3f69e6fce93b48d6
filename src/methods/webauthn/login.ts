import { createHmac } from 'node:crypto'
import { type FormPart, NO_PART } from '../../flows/engine/compose.ts'
import type { NextForm } from '../../flows/engine/step.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText } from '../../flows/form.ts'
import { identifierNode } from '../../flows/login/form.ts'
import type { LoginMethod, LoginPurpose, LoginRequest, Proved } from '../../flows/login/method.ts'
import { messages } from '../../flows/messages.ts'
import { csrfNode, inputNode, submitNode } from '../../flows/nodes.ts'
import { refused } from '../../flows/refused.ts'
import type { UiMessage } from '../../flows/types.ts'
import { normaliseIdentifier } from '../../identities/normalise.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { FullIdentity } from '../../identities/types.ts'
import { NO_UUID, uuid } from '../../kernel/base/uuid.ts'
import { challengeContext, newChallenge } from '../../webauthn/challenge.ts'
import { ringOf } from '../../webauthn/enrol.ts'
import { type FittingDeps, fittingKeys, NO_KEYS, noneFits } from '../../webauthn/fitting.ts'
import type { Key } from '../../webauthn/keys.ts'
import { keyMessages } from '../../webauthn/messages.ts'
import { forAutofill, keyButton, scriptNode } from '../../webauthn/nodes.ts'
import { securityKeyUse } from '../../webauthn/options.ts'
import { proveKey, readAnswer, type UseDeps } from '../../webauthn/use.ts'
import { ASKED, WEBAUTHN, type WebauthnDeps, webauthnConfig } from './keys.ts'

export interface WebauthnLoginDeps extends WebauthnDeps, UseDeps, FittingDeps {
  identities: UseDeps['identities'] & Pick<IdentityService, 'get' | 'findByIdentifier'>
  /** shared by all nodes: ids of made-up keys are derived from it */
  serverSecret: Uint8Array
}

const ANSWER = 'webauthn_login'

/** A security key: as second factor, or, if configured so, as the only one. In browsers alone. */
export function webauthnLogin(d: WebauthnLoginDeps): LoginMethod {
  const settings = () => webauthnConfig(d)
  return {
    id: WEBAUTHN,
    async form({ flow, purpose, schema, account }) {
      const on = settings()
      if (!on || flow.type === 'api' || purpose.kind === 'identifier') return NO_PART
      if (purpose.kind === 'firstFactor' && purpose.identifier === undefined) {
        return on.passwordless ? { nodes: [forAutofill(identifierNode(schema)), useButton] } : NO_PART
      }
      const identity = await account()
      const own = identity ? keysFor(on.passwordless, purpose, identity) : []
      const { keys, elsewhere } = own.length > 0 ? await fittingKeys(d, identity!.id, own, on.rp.id) : NO_KEYS
      if (purpose.kind === 'firstFactor') {
        const hidden = d.config().security.account_enumeration.mitigate && on.passwordless
        return keys.length > 0 || hidden ? { nodes: [useButton] } : NO_PART
      }
      if (identity && keys.length > 0) return keyForm(identity, keys)
      return noneFits(elsewhere, on.rp.id)
    },
    takes: (form, flow) =>
      flow.type === 'browser' &&
      (fieldText(form, 'method') === WEBAUTHN || fieldText(form, ANSWER) !== '') &&
      settings()?.passwordless !== (flow.requested_aal === 'aal2'),
    kept: () => new Map(),
    async login(request) {
      const on = settings()
      if (!on) throw methodDisabled()
      const identifier = fieldText(request.form, 'identifier')
      if (identifier === '') throw refused(messages.missing('identifier'), 'identifier')
      if (request.flow.requested_aal === 'aal2') return secondFactor(request)
      const identity = await d.identities.findByIdentifier(WEBAUTHN, identifier)
      if (fieldText(request.form, ANSWER) === '' && !request.flow.refresh) return askKey(request, identifier, identity)
      return firstFactor(request, identifier, identity)
    },
  }

  /** The keys that may answer: of the requested role; all of them for a fresh proof. */
  function keysFor(passwordless: boolean, purpose: LoginPurpose, { id, credentials }: FullIdentity): Key[] {
    const wanted = purpose.kind !== 'secondFactor'
    if (wanted !== passwordless) return []
    return ringOf(credentials, WEBAUTHN, id).keys.filter((key) => key.passwordless === wanted)
  }

  function keyForm(identity: FullIdentity, keys: readonly Key[]): FormPart {
    const { rp } = settings()!
    const challenge = newChallenge(d.random)
    const allowed = keys.map(({ id }) => id)
    const { userHandle } = ringOf(identity.credentials, WEBAUTHN, identity.id)
    const identifier = identity.credentials.find(({ type }) => type === WEBAUTHN)?.identifiers[0] ?? ''
    return {
      nodes: [
        identifierNode(identifier),
        ...keyNodes(securityKeyUse({ rpId: rp.id, challenge, allow: allowed }), keyMessages.useKey),
      ],
      context: { [ASKED]: challengeContext({ rpId: rp.id, challenge, userHandle, allowed }, 'discouraged') },
    }
  }

  function keyNodes(options: object, label: UiMessage) {
    return [
      scriptNode(d.publicBaseUrl(), uuid(d.random)),
      keyButton('webauthn_login_trigger', 'oryWebAuthnLogin', options, label),
      inputNode(WEBAUTHN, ANSWER, 'hidden', { value: '' }),
    ]
  }

  /** The second step: the keys of the identifier, or, where accounts must not be revealed, made-up ones. */
  async function askKey(
    { flow, csrfToken }: LoginRequest,
    identifier: string,
    identity: FullIdentity | undefined,
  ): Promise<NextForm> {
    const { rp } = settings()!
    const ring = identity && ringOf(identity.credentials, WEBAUTHN, identity.id)
    const own = ring?.keys.filter(({ passwordless }) => passwordless) ?? []
    // Also for an unknown account: the time must not tell whether there is a key.
    const { keys } = await fittingKeys(d, identity?.id ?? NO_UUID, own, rp.id)
    if (keys.length === 0 && !d.config().security.account_enumeration.mitigate)
      throw refused(keyMessages.unknownAccount)
    const allowed = keys.length > 0 ? keys.map(({ id }) => id) : [madeUpKey(identifier)]
    const userHandle = keys.length > 0 ? ring!.userHandle : Buffer.alloc(16)
    const challenge = newChallenge(d.random)
    const hidden = identifierNode(identifier)
    return {
      kind: 'form',
      nodes: [
        { ...hidden, attributes: { ...hidden.attributes, required: true } },
        csrfNode(csrfToken),
        ...keyNodes(securityKeyUse({ rpId: rp.id, challenge, allow: allowed }), keyMessages.proceed),
      ],
      messages: [keyMessages.prepare],
      context: {
        ...flow.context,
        [ASKED]: challengeContext({ rpId: rp.id, challenge, userHandle, allowed }, 'discouraged'),
      },
      asLocation: true,
    }
  }

  /** The same one each time, as a real one would be. */
  function madeUpKey(identifier: string): Buffer {
    return createHmac('sha256', d.serverSecret)
      .update(`webauthn-key\0${normaliseIdentifier(identifier)}`)
      .digest()
  }

  async function firstFactor(request: LoginRequest, identifier: string, identity: FullIdentity | undefined) {
    const answer = readAnswer(request.form, ANSWER)
    if (!identity) throw refused(messages.wrongCode)
    const { keys } = ringOf(identity.credentials, WEBAUTHN, identity.id)
    const usable = keys.filter(({ passwordless }) => passwordless)
    return { ...(await prove(request, identity, usable, answer, 'aal1')), identifier }
  }

  async function secondFactor(request: LoginRequest) {
    const answer = readAnswer(request.form, ANSWER)
    const identity = await d.identities.get(request.current!.session.identity_id)
    const { keys } = ringOf(identity.credentials, WEBAUTHN, identity.id)
    const usable = keys.filter(({ passwordless }) => !passwordless)
    return prove(request, identity, usable, answer, 'aal2')
  }

  function prove(
    { flow }: LoginRequest,
    identity: FullIdentity,
    keys: readonly Key[],
    answer: ReturnType<typeof readAnswer>,
    aal: 'aal1' | 'aal2',
  ): Promise<Proved> {
    const { rp } = settings()!
    return proveKey(
      d,
      { asked: flow.context[ASKED], rp, identity, type: WEBAUTHN, keys, answer },
      { method: WEBAUTHN, aal },
    )
  }
}

const useButton = submitNode(WEBAUTHN, WEBAUTHN, keyMessages.useKey)
