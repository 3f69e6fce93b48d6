import { MOST_AT_ONCE } from '../../courier/types.ts'
import type { Identity, VerifiableAddress } from '../../identities/types.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { Session } from '../../sessions/types.ts'
import type { BeginRequest } from '../begin.ts'
import type { FlowUrls } from '../urls.ts'
import type { VerificationFlows } from './flow.ts'
import type { VerificationFlow } from './types.ts'

/** A verification that began unasked, and its address. */
export interface Begun {
  flow: VerificationFlow
  address: string
}

export interface Unasked {
  identity: Identity
  /** the flow that brought the address */
  request: BeginRequest
  session: Pick<Session, 'id' | 'authentication_methods'> | undefined
  /** which addresses to verify */
  needs(address: VerifiableAddress): boolean
  /** every address, up to a bound; else the first alone */
  all?: boolean
}

/** Writes to addresses that are not verified yet, in the transaction that makes or changes them. */
export async function verifyUnasked(
  verification: Pick<VerificationFlows, 'beginUnasked'>,
  { identity, request, session, needs, all = false }: Unasked,
  tx: Queryable,
): Promise<Begun[]> {
  const begun: Begun[] = []
  for (const address of identity.verifiable_addresses.filter(needs)) {
    const flow = await verification.beginUnasked({ owner: { identity, address }, request, session }, tx)
    if (flow) begun.push({ flow, address: address.value })
    if (begun.length === (all ? MOST_AT_ONCE : 1)) break
  }
  return begun
}

/** `continue_with` for verifications; for a browser's script also the URL. @param always apps get the URL, too */
export const showVerification = (urls: FlowUrls, begun: readonly Begun[], always = false) =>
  begun.map(({ flow: { id, type }, address }) => ({
    action: 'show_verification_ui',
    flow: {
      id,
      verifiable_address: address,
      ...(always || type === 'browser' ? { url: urls.page('verification', id) } : {}),
    },
  }))
