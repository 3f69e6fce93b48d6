import type { Config } from '../../config/schema/schema.ts'
import { NO_PART } from '../../flows/engine/compose.ts'
import { methodDisabled } from '../../flows/errors.ts'
import { fieldText } from '../../flows/form.ts'
import type { Guesses } from '../../flows/login/guesses.ts'
import type { LoginMethod } from '../../flows/login/method.ts'
import { messages } from '../../flows/messages.ts'
import { inputNode, submitNode } from '../../flows/nodes.ts'
import { refused } from '../../flows/refused.ts'
import type { Flow } from '../../flows/types.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { Clock } from '../../kernel/base/clock.ts'
import { NotLocked } from '../../kernel/db/client.ts'
import { codesOf, LOOKUP_SECRET, type RecoveryCode, useCode, withUsed } from './codes.ts'
import { lookupMessages } from './messages.ts'

export interface LookupLoginDeps {
  config(): Config
  clock: Clock
  identities: Pick<IdentityService, 'get' | 'replaceConfig'>
  guesses: Guesses
}

/** A backup code, as second factor. Each is valid once. */
export function lookupLogin(d: LookupLoginDeps): LoginMethod {
  const enabled = () => d.config().selfservice.methods.lookup_secret.enabled
  return {
    id: LOOKUP_SECRET,
    async form({ purpose, account }) {
      if (!enabled() || purpose.kind !== 'secondFactor') return NO_PART
      const identity = await account()
      if (!identity || codesOf(identity.credentials).codes.length === 0) return NO_PART
      const label = lookupMessages.code
      const code = inputNode(LOOKUP_SECRET, LOOKUP_SECRET, 'text', { value: '', required: true, label })
      return { nodes: [code, submitNode(LOOKUP_SECRET, LOOKUP_SECRET, lookupMessages.use)] }
    },
    takes: (form, flow) => fieldText(form, 'method') === LOOKUP_SECRET && flow.requested_aal === 'aal2',
    kept: () => new Map([[LOOKUP_SECRET, undefined]]),

    async login({ flow, form, current }) {
      if (!enabled()) throw methodDisabled()
      const given = fieldText(form, LOOKUP_SECRET)
      if (given === '') throw refused(messages.missing(LOOKUP_SECRET), LOOKUP_SECRET)
      const identity = await d.identities.get(current!.session.identity_id)
      const { codes, config } = codesOf(identity.credentials)
      if (codes.length === 0) throw refused(lookupMessages.none)
      const target = { identityId: identity.id, flowId: flow.id, method: LOOKUP_SECRET }
      await d.guesses.assertAllowed(target)
      const use = useCode(codes, meant(flow, given, codes), d.clock.now())
      if (use.kind === 'usedBefore') throw refused(lookupMessages.usedBefore)
      if (use.kind === 'wrong') {
        await d.guesses.wrong(target)
        throw refused(lookupMessages.wrong)
      }
      await d.guesses.assertAllowed(target)
      return {
        kind: 'proved',
        identity,
        authentication: { method: LOOKUP_SECRET, aal: 'aal2' },
        async write(tx) {
          const change = { type: LOOKUP_SECRET, from: config, to: withUsed(config, use) }
          // Another request may have used a code meanwhile: then everything is checked again.
          if (!(await d.identities.replaceConfig(identity.id, change, tx)))
            throw new NotLocked('the codes have changed')
        },
      }
    },
  }
}

/**
 * The intended code. People copy codes from a list with commas, and phones begin with a capital; a native client
 * sends the code itself, which Kratos compares literally.
 */
function meant({ type }: Pick<Flow, 'type'>, given: string, codes: readonly RecoveryCode[]): string {
  if (type === 'api' || codes.some(({ code }) => code === given)) return given
  const plain = lettersAndDigits(given)
  return codes.find(({ code }) => lettersAndDigits(code) === plain && plain !== '')?.code ?? given
}

const lettersAndDigits = (text: string) =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
