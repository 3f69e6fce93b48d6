import type { AddressOwner, Identity, Json, JsonObject } from '../identities/types.ts'
import type { Queryable } from '../kernel/db/client.ts'
import type { Courier } from './service.ts'
import type { Channel } from './types.ts'

export interface OwnerMailDeps {
  courier: Courier
  /** the identity as templates see it */
  identityAnswer(identity: Identity): Record<string, unknown>
}

export interface MailToOwner {
  kind: 'recovery_code' | 'recovery' | 'verification_code' | 'verification' | 'login_code'
  /** undefined for an unknown address */
  owner: Pick<AddressOwner, 'identity'> | undefined
  to: { channel: Channel; value: string }
  /** whether an unknown address gets a message that says so; login has none */
  tellUnknown: boolean
  request: { request_url: string; transient_payload: Json }
  /** of the request for it, for templates that have them in Kratos */
  requestHeaders?: Readonly<Record<string, readonly string[]>>
  /** that asked for it */
  network: string | undefined
  /** code or link, and its lifetime */
  secret: JsonObject
  /** the code was sent already: nothing goes out */
  again?: boolean
}

/**
 * Writes to the owner of an address. It takes as long for an unknown one, so that the time does not reveal accounts.
 * @returns the id of the message, if there is one
 */
export async function sendToOwner(d: OwnerMailDeps, tx: Queryable, m: MailToOwner): Promise<string | undefined> {
  const { channel, value: to } = m.to
  const requestHeaders = m.requestHeaders ?? {}
  const known = { type: `${m.kind}_valid`, channel, recipient: to, requestHeaders, network: m.network } as const
  const data = { to, ...m.request }
  if (m.owner) {
    const identity = d.identityAnswer(m.owner.identity) as JsonObject
    return d.courier.enqueueIf(true, { ...known, data: { ...data, ...m.secret, identity } }, tx, m.again)
  }
  if (m.tellUnknown && m.kind !== 'login_code' && channel === 'email')
    return d.courier.enqueueIf(true, { ...known, type: `${m.kind}_invalid`, data }, tx, m.again)
  return d.courier.enqueueIf(false, { ...known, data: { ...data, ...m.secret, identity: NO_IDENTITY } }, tx, m.again)
}

const NO_IDENTITY: JsonObject = { id: '00000000-0000-0000-0000-000000000000', traits: {} }
