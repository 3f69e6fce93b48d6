import type { SchemaLookup } from '../../../flows/begin.ts'
import { type FormPart, NO_PART } from '../../../flows/engine/compose.ts'
import { identifierNode } from '../../../flows/login/form.ts'
import type { LoginView } from '../../../flows/login/method.ts'
import type { InputNode } from '../../../flows/types.ts'
import { requestQuery } from '../../../flows/urls.ts'
import type { IdentityService } from '../../../identities/service.ts'
import type { FullIdentity, Json, JsonObject } from '../../../identities/types.ts'
import { formatTime, SECOND } from '../../../kernel/base/clock.ts'
import { badRequest } from '../../../kernel/http/errors.ts'
import { type CodeAddress, codeAddresses, storedSpelling } from '../addresses.ts'
import { codeMessages } from '../messages.ts'
import { addressesFor, hasOther } from '../owner.ts'
import { codeSettings } from '../settings.ts'
import { addressButtons, askButton, chosenAddress, sentNodes } from './form.ts'
import { type Recipients, type SendLoginCodeDeps, sendLoginCodes } from './send.ts'

export interface CodeLoginFormDeps extends SendLoginCodeDeps {
  schemas(): SchemaLookup
  identities: Pick<IdentityService, 'get' | 'verifyAddress' | 'findByIdentifier' | 'findByAnyIdentifier'>
}

/** The part of sign-in by code in a form: a button, or if there is nothing to choose, a code that is sent at once. */
export async function codeLoginForm(d: CodeLoginFormDeps, view: LoginView): Promise<FormPart> {
  switch (view.purpose.kind) {
    case 'identifier':
      return NO_PART
    case 'firstFactor':
      if (view.purpose.identifier !== undefined) return afterIdentifier(d, view, view.purpose.identifier)
      return { nodes: [identifierNode(view.schema), askButton()] }
    case 'refresh':
      return { nodes: [identifierNode(view.schema), askButton()] }
    case 'secondFactor':
      return secondFactor(d, view)
  }
}

/** Without another method the code is sent at once. */
async function afterIdentifier(d: CodeLoginFormDeps, view: LoginView, typed: string): Promise<FormPart> {
  if (d.config().security.account_enumeration.mitigate) return { nodes: [askButton()] }
  const identity = await view.account()
  const addresses = identity ? addressesFor(identity, typed, codeSettings(d.config()).fallback) : []
  if (!identity || addresses.length === 0) return NO_PART
  if (hasOther(d.config(), identity, 'firstFactor')) return { nodes: [askButton()] }
  const { attributes, ...node } = identifierNode(view.schema)
  const identifier: InputNode = { ...node, attributes: { ...attributes, type: 'hidden', value: typed } }
  return sentPart(d, identifier, recipients(view, identity, addresses))
}

async function secondFactor(d: CodeLoginFormDeps, view: LoginView): Promise<FormPart> {
  const identity = await view.account()
  if (!identity) return NO_PART
  const addresses = wanted(view, identity, codeAddresses(identity, codeSettings(d.config()).fallback))
  const [only, ...others] = addresses
  if (!only) return NO_PART
  const atOnce = others.length === 0 && !hasOther(d.config(), identity, 'secondFactor')
  if (!atOnce || (await sentJustNow(d, identity.id))) return { nodes: addressButtons(addresses) }
  return sentPart(d, chosenAddress(only), recipients(view, identity, [only]))
}

const PAUSE = 60 * SECOND

/** Loading the page again sends nothing, since the operator pays for each message. The button sends another one. */
async function sentJustNow(d: CodeLoginFormDeps, identityId: string): Promise<boolean> {
  return d.loginCodes.sentSince(identityId, formatTime(d.clock.now() - PAUSE))
}

/** @throws 400 for a trait in `via` that is no address */
function wanted({ flow }: LoginView, identity: FullIdentity, addresses: CodeAddress[]): CodeAddress[] {
  const via = requestQuery(flow.request_url).get('via') ?? ''
  if (via === '') return addresses.toSorted((a, b) => (a.value < b.value ? -1 : 1))
  const value = traitAt(identity.traits, via)
  if (value === '') throw badRequest(`No value found for trait ${via} in the current identity.`)
  if (addresses.length === 0) return []
  const named = addresses.find((one) => one.value === storedSpelling(value))
  if (!named) {
    throw badRequest(
      'You can only reference a trait that matches a verification email address in the via parameter, or a registered credential.',
    )
  }
  return [named]
}

/** @param path with dots, as `contact.phone` */
function traitAt(traits: JsonObject, path: string): string {
  let value: Json | undefined = traits
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return ''
    value = (value as JsonObject)[name]
  }
  return typeof value === 'string' ? value : ''
}

function recipients(view: LoginView, identity: FullIdentity, addresses: readonly CodeAddress[]): Recipients {
  const { headers = {}, network } = view.facts?.() ?? {}
  return { flow: view.flow, identity, addresses, headers, network, transientPayload: undefined }
}

/** The form for the code, and the writes that go with it. */
export const sentPart = (d: SendLoginCodeDeps, identifier: InputNode, to: Recipients): FormPart => ({
  nodes: sentNodes(identifier),
  messages: [codeMessages.loginCodeSent],
  state: 'sent_email',
  active: 'code',
  write: sendLoginCodes(d, to),
})
