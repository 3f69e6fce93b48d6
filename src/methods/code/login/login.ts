import { aheadNodes, NO_PART } from '../../../flows/engine/compose.ts'
import type { GivenUp, NextForm } from '../../../flows/engine/step.ts'
import { fieldText, transientPayload } from '../../../flows/form.ts'
import type { LoginMethod, LoginRequest, Proved } from '../../../flows/login/method.ts'
import type { LoginFlow } from '../../../flows/login/types.ts'
import { messages } from '../../../flows/messages.ts'
import { FormRefused, refused } from '../../../flows/refused.ts'
import type { InputNode, SubmittedForm } from '../../../flows/types.ts'
import { isLongerThan, MAX_IDENTIFIER, normaliseIdentifier, normalisePhone } from '../../../identities/normalise.ts'
import { type CodeAddress, codeAddresses, storedSpelling } from '../addresses.ts'
import { codeMessages } from '../messages.ts'
import { findCodeOwner } from '../owner.ts'
import { codeSettings } from '../settings.ts'
import { askedIdentifier, chosenAddress, GROUP, passedNodes, refusedNodes } from './form.ts'
import { type CodeLoginFormDeps, codeLoginForm, sentPart } from './offer.ts'
import { type Claimant, type ProveLoginCodeDeps, proveLoginCode } from './prove.ts'
import type { Recipients } from './send.ts'

export type CodeLoginDeps = ProveLoginCodeDeps & CodeLoginFormDeps

/** A code that is sent: as first or as second factor. */
export function codeLogin(d: CodeLoginDeps): LoginMethod {
  const serves = ({ requested_aal: aal }: Pick<LoginFlow, 'requested_aal'>) => {
    const { passwordless, mfa } = codeSettings(d.config())
    return aal === 'aal2' ? mfa : passwordless
  }
  return {
    id: GROUP,
    form: (view) => (view.purpose.kind !== 'identifier' && serves(view.flow) ? codeLoginForm(d, view) : nothing()),
    takes(form, flow) {
      if (!serves(flow)) return false
      const method = fieldText(form, 'method')
      // The button of an address names no method.
      return method === GROUP || (method === '' && flow.requested_aal === 'aal2' && fieldText(form, 'address') !== '')
    },
    kept: (form) => new Map([['identifier', typedAddress(form)]]),
    async login(request) {
      const { flow, form, csrfToken } = request
      const again = fieldText(form, 'resend').toLowerCase() === GROUP
      if (again || flow.state === 'choose_method') {
        return flow.requested_aal === 'aal2' ? askSecondFactor(d, request) : askFirstFactor(d, request)
      }
      if (flow.state === 'sent_email') return prove(d, request)
      const nodes = passedNodes(flow.ui.nodes, csrfToken)
      return { kind: 'form', nodes, problems: [{ message: messages.noLoginMethod }] }
    },
  }
}

const nothing = async () => NO_PART

const typedAddress = (form: SubmittedForm) => fieldText(form, 'address') || fieldText(form, 'identifier')

/** The identifier as the form shows it from now on. */
const shown = (typed: string) => (typed.includes('@') ? normaliseIdentifier(typed) : typed)

async function askFirstFactor(d: CodeLoginDeps, request: LoginRequest): Promise<NextForm> {
  const { flow, form } = request
  const typed = typedAddress(form)
  if (typed === '') throw refused(messages.missing('identifier'), 'identifier')
  if (isLongerThan(typed, MAX_IDENTIFIER)) throw refused(codeMessages.unknownAddress)
  const owner = await findCodeOwner(d.identities, typed, codeSettings(d.config()).fallback)
  if (!owner && !d.config().security.account_enumeration.mitigate) throw refused(codeMessages.unknownAddress)
  const schema = d.schemas().get(flow.identity_schema) ?? d.schemas().default
  const node = askedIdentifier(flow.ui.nodes, shown(typed), schema)
  return sent(d, request, node, { identity: owner?.identity, addresses: owner?.addresses ?? [nobodys(typed)] })
}

const nobodys = (typed: string): CodeAddress => ({
  via: normalisePhone(typed) === undefined ? 'email' : 'sms',
  value: storedSpelling(typed),
})

/** Only to an address of the session's own identity. */
async function askSecondFactor(d: CodeLoginDeps, request: LoginRequest): Promise<NextForm> {
  const { flow, form, current } = request
  const identity = await d.identities.get(current!.session.identity_id)
  const own = codeAddresses(identity, codeSettings(d.config()).fallback)
  const typed =
    typedAddress(form) || (await sentBefore(d, flow, identity.id)) || (own.length === 1 ? own[0]!.value : '')
  if (typed === '') throw refused(messages.missing('identifier'), 'identifier')
  const chosen = own.find(({ value }) => value === storedSpelling(typed))
  if (!chosen) throw refused(codeMessages.unknownAddress)
  return sent(d, request, chosenAddress(chosen), { identity, addresses: [chosen] })
}

/** A form that was shown again has lost the address. */
async function sentBefore(d: CodeLoginDeps, flow: LoginFlow, identityId: string): Promise<string> {
  return (await d.loginCodes.ofFlow(flow.id, identityId))[0]?.value ?? ''
}

function sent(
  d: CodeLoginDeps,
  { flow, form, caller, csrfToken }: LoginRequest,
  identifier: InputNode,
  to: Pick<Recipients, 'identity' | 'addresses'>,
): NextForm {
  const { headers, network } = caller.facts()
  const part = sentPart(d, identifier, { ...to, flow, headers, network, transientPayload: transientPayload(form) })
  return { kind: 'form', ...part, nodes: aheadNodes(part, csrfToken) }
}

async function prove(d: CodeLoginDeps, request: LoginRequest): Promise<Proved | GivenUp | NextForm> {
  const { form, csrfToken } = request
  const typed = typedAddress(form)
  try {
    if (fieldText(form, 'code') === '') throw refused(messages.missing('code'), 'code')
    return await proveLoginCode(d, request, await claimant(d, request, typed))
  } catch (error) {
    if (!(error instanceof FormRefused)) throw error
    return { kind: 'form', nodes: refusedNodes(csrfToken, shown(typed)), problems: error.problems }
  }
}

async function claimant(d: CodeLoginDeps, { flow, current }: LoginRequest, typed: string): Promise<Claimant> {
  if (flow.requested_aal === 'aal2') return { identity: await d.identities.get(current!.session.identity_id) }
  if (typed === '') throw refused(messages.missing('identifier'), 'identifier')
  if (isLongerThan(typed, MAX_IDENTIFIER)) throw refused(codeMessages.unknownAddress)
  const owner = await findCodeOwner(d.identities, typed, codeSettings(d.config()).fallback)
  if (!owner && !d.config().security.account_enumeration.mitigate) throw refused(codeMessages.unknownAddress)
  return { identity: owner?.identity, identifier: typed }
}
