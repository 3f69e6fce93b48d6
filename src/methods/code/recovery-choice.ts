import { createHash } from 'node:crypto'
import type { Channel } from '../../courier/types.ts'
import { fieldText } from '../../flows/form.ts'
import { messages } from '../../flows/messages.ts'
import type { NextScreen } from '../../flows/proof/proof.ts'
import type { RecoveryRequest } from '../../flows/recovery/method.ts'
import type { RecoveryFlow } from '../../flows/recovery/types.ts'
import { refused } from '../../flows/refused.ts'
import type { FlowState, SubmittedForm, UiNode } from '../../flows/types.ts'
import { trimSpace } from '../../identities/normalise.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { AddressOwner } from '../../identities/types.ts'
import { keyedHash } from '../../kernel/crypto/one-time.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import { addressNodes, choiceNodes, confirmNodes, sentToNodes } from './recovery-choice-form.ts'

/**
 * Recovery that asks for one of several addresses (`feature_flags.choose_recovery_address`): any address of the
 * account is typed in full, one of the masked addresses is picked, and typed in full unless it is the first one.
 */
export interface ChoiceDeps {
  secrets(): readonly string[]
  identities: Pick<IdentityService, 'findByRecoveryAddress'>
}

/** Sends the code, in the transaction of the screen. @param owner undefined for an unknown address */
type Send = (
  to: { channel: Channel; value: string },
  owner: AddressOwner | undefined,
) => (tx: Queryable) => Promise<void>

const STATES: readonly FlowState[] = [
  'recovery_awaiting_address',
  'recovery_awaiting_address_choice',
  'recovery_confirming_address',
  'recovery_awaiting_code',
]

export const isOfChoice = ({ state }: Pick<RecoveryFlow, 'state'>) => STATES.includes(state)

/** Whether a form asks for another screen or another code; otherwise it brings a code. */
export function asksForChoice(form: SubmittedForm, { state }: Pick<RecoveryFlow, 'state'>): boolean {
  return state !== 'recovery_awaiting_code' || goesBack(form) || fieldText(form, 'code') === ''
}

const goesBack = (form: SubmittedForm) => fieldText(form, 'screen') === 'previous'

export const firstScreen = (csrfToken: string): { nodes: UiNode[]; state: FlowState } => ({
  nodes: addressNodes(csrfToken),
  state: 'recovery_awaiting_address',
})

/** @throws FormRefused for a missing or too long value, 400 for an address that was not offered */
export async function chooseAddress(d: ChoiceDeps, asked: RecoveryRequest, send: Send): Promise<NextScreen> {
  const request = { ...asked, csrfToken: keptToken(asked) }
  const { flow, form, csrfToken } = request
  const named = addressIn(form, 'recovery_address')
  if (goesBack(form)) return back(d, request, named)
  switch (flow.state) {
    case 'recovery_awaiting_address': {
      const owner = await ownerOf(d, required('recovery_address', named))
      return hasSeveral(owner)
        ? choice(d, request, named, owner)
        : code(request, { named, confirmed: named }, owner, send)
    }
    case 'recovery_awaiting_address_choice': {
      const picked = required('recovery_select_address', fieldText(form, 'recovery_select_address'))
      const owner = await ownerOf(d, required('recovery_address', named))
      const address = owner?.identity.recovery_addresses.find(({ value }) => isPick(d, flow, picked, value))
      if (!owner || !address) throw badRequest('The selected recovery address is not valid.')
      if (address.value === owner.address.value) return code(request, { named, confirmed: named }, owner, send)
      return {
        kind: 'screen',
        state: 'recovery_confirming_address',
        messages: [messages.nameAddressInFull],
        nodes: confirmNodes(csrfToken, { named, channel: channelOf(address.value) }),
      }
    }
    default: {
      const confirmed = required('recovery_confirm_address', addressIn(form, 'recovery_confirm_address'))
      return code(request, { named, confirmed }, await ownerOf(d, confirmed), send)
    }
  }
}

/** Kratos keeps the token of the flow; one of another browser does not match this one. */
function keptToken({ flow, caller, csrfToken }: RecoveryRequest): string {
  if (flow.type !== 'browser') return csrfToken
  try {
    caller.checkCsrf(flow.csrf_token)
    return flow.csrf_token
  } catch {
    return csrfToken
  }
}

/** The longest address that mail allows. The input is stored with the form. */
const MAX_ADDRESS = 320

function addressIn(form: SubmittedForm, name: string): string {
  const text = trimSpace(fieldText(form, name))
  if (text.length > MAX_ADDRESS) throw refused(messages.generic(`length must be <= ${MAX_ADDRESS}`), name)
  return text
}

function required(name: string, text: string): string {
  if (text === '') throw refused(messages.missing(name), name)
  return text
}

const channelOf = (address: string): Channel => (address.includes('@') ? 'email' : 'sms')

const ownerOf = (d: ChoiceDeps, address: string) => d.identities.findByRecoveryAddress(channelOf(address), address)

const hasSeveral = (owner: AddressOwner | undefined): owner is AddressOwner =>
  owner !== undefined && owner.identity.recovery_addresses.length > 1

async function back(d: ChoiceDeps, request: RecoveryRequest, named: string): Promise<NextScreen> {
  const owner = named === '' ? undefined : await ownerOf(d, named)
  if (hasSeveral(owner)) return choice(d, request, named, owner)
  return { kind: 'screen', ...firstScreen(request.csrfToken), messages: [] }
}

function choice(d: ChoiceDeps, request: RecoveryRequest, named: string, { identity }: AddressOwner): NextScreen {
  const values = identity.recovery_addresses.map(({ value }) => value).sort((a, b) => (a < b ? -1 : 1))
  const offers = values.map((value) => ({ value: pickOf(request.flow, value, d.secrets()[0]!), masked: masked(value) }))
  return {
    kind: 'screen',
    state: 'recovery_awaiting_address_choice',
    messages: [messages.chooseAddress],
    nodes: choiceNodes(request.csrfToken, named, offers),
  }
}

/** The same for a known and an unknown address. */
function code(
  { csrfToken }: RecoveryRequest,
  typed: { named: string; confirmed: string },
  owner: AddressOwner | undefined,
  send: Send,
): NextScreen {
  const { confirmed } = typed
  return {
    kind: 'screen',
    state: 'recovery_awaiting_code',
    nodes: sentToNodes(csrfToken, typed),
    messages: [messages.recoveryCodeSentTo(masked(confirmed))],
    write: send({ channel: channelOf(confirmed), value: confirmed }, owner),
  }
}

/** Represents an address in the choice. A plain hash, as in Kratos, can be reversed by trying all telephone numbers. */
const pickOf = ({ id }: RecoveryFlow, address: string, secret: string) =>
  Buffer.from(keyedHash(`${id} ${address}`, secret), 'hex').toString('base64')

/** Also accepts a choice that Kratos has offered. */
function isPick(d: ChoiceDeps, flow: RecoveryFlow, picked: string, address: string): boolean {
  if (picked === createHash('sha256').update(address).digest('base64')) return true
  return d.secrets().some((secret) => picked === pickOf(flow, address, secret))
}

/** Masks the middle of an address, as Kratos does. */
export function masked(address: string): string {
  const at = address.indexOf('@')
  if (at >= 0) return at < 2 ? address : `${address.slice(0, 2)}****${address.slice(at)}`
  return address.length < 6 ? address : `${address.slice(0, 3)}****${address.slice(-2)}`
}
