import type { AddressOwner, Identity, Json, JsonObject } from '../identities/types.ts'
import type { Queryable } from '../kernel/db/client.ts'
import type { Courier } from './service.ts'
import type { Channel } from './types.ts'

export interface OwnerMailDeps {
  courier: Courier
  /** a person as templates know them */
  identityAnswer(identity: Identity): Record<string, unknown>
}

export interface MailToOwner {
  kind: 'recovery_code' | 'recovery' | 'verification_code' | 'verification'
  /** undefined where nobody has the address */
  owner: AddressOwner | undefined
  to: { channel: Channel; value: string }
  /** whether an address that nobody has gets a message that says so */
  tellUnknown: boolean
  request: { request_url: string; transient_payload: Json }
  /** of the request that asked, where the template of Kratos has them */
  requestHeaders?: Readonly<Record<string, readonly string[]>>
  /** code or link, and how long it lives */
  secret: JsonObject
}

/** Writes to whoever has an address. How long it takes does not tell whether somebody has it. */
export async function sendToOwner(d: OwnerMailDeps, tx: Queryable, m: MailToOwner): Promise<void> {
  const { channel, value: to } = m.to
  const requestHeaders = m.requestHeaders ?? {}
  const known = { type: `${m.kind}_valid`, channel, recipient: to, requestHeaders } as const
  const data = { to, ...m.request }
  if (m.owner) {
    const identity = d.identityAnswer(m.owner.identity) as JsonObject
    await d.courier.enqueue({ ...known, data: { ...data, ...m.secret, identity } }, tx)
  } else if (m.tellUnknown && channel === 'email') {
    await d.courier.enqueue({ ...known, type: `${m.kind}_invalid`, data }, tx)
  } else {
    await d.courier.pretend({ ...known, data: { ...data, ...m.secret, identity: NOBODY } }, tx)
  }
}

const NOBODY: JsonObject = { id: '00000000-0000-0000-0000-000000000000', traits: {} }
