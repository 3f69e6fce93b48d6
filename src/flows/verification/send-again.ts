import type { IdentityService } from '../../identities/service.ts'
import type { IdentityLocks } from '../../identities/store-locks.ts'
import type { VerifiableAddress } from '../../identities/types.ts'
import { isUuid } from '../../kernel/base/uuid.ts'
import { NotLocked } from '../../kernel/db/client.ts'
import { badRequest, conflict, notLocated } from '../../kernel/http/errors.ts'
import { type BeginVerificationDeps, beginForOperator } from './begin.ts'

export interface SendAgainDeps extends BeginVerificationDeps {
  identities: Pick<IdentityService, 'get'>
  locks: Pick<IdentityLocks, 'tx'>
}

export interface SentAgain {
  messageId: string
  flowId: string
  expiresAt: string
  address: Pick<VerifiableAddress, 'via' | 'value'>
}

/** An operator has another message sent, to a person who did not get the first. */
export type SendVerificationAgain = (request: {
  identityId: string
  /** undefined: the only one that is not verified */
  address: string | undefined
  /** the URL of the call, as operators know it */
  requestUrl: string
}) => Promise<SentAgain>

/**
 * @throws 404 for an unknown identity or address, 400 where verification is switched off or several addresses may be meant,
 * 409 for an address that is verified, 429 beyond the limit of messages
 */
export function createSendVerificationAgain(d: SendAgainDeps): SendVerificationAgain {
  return async ({ identityId, address: value, requestUrl }) => {
    if (!isUuid(identityId)) throw notLocated()
    d.urls.returnTo(requestUrl)
    const request = { type: 'browser', requestUrl, csrfToken: '' } as const
    return d.locks
      .tx({ identity: identityId }, async (tx) => {
        const identity = await d.identities.get(identityId, tx)
        const address = chosen(identity.verifiable_addresses, value)
        const { flow, messageId } = await beginForOperator(d, { owner: { identity, address }, request }, tx)
        return { messageId, flowId: flow.id, expiresAt: flow.expires_at, address }
      })
      .catch((error: unknown) => {
        throw error instanceof NotLocked ? notLocated() : error
      })
  }
}

function chosen(all: readonly VerifiableAddress[], value: string | undefined): VerifiableAddress {
  const meant = value === undefined ? all.filter(({ verified }) => !verified) : all.filter((one) => one.value === value)
  const [address] = meant
  if (value === undefined && meant.length > 1)
    throw badRequest('Several addresses of this identity are not verified: name one of them as "address".')
  if (!address) throw value === undefined && all.length > 0 ? alreadyVerified() : notLocated()
  if (address.verified) throw alreadyVerified()
  return address
}

const alreadyVerified = () => conflict('The address is verified already, so that no message is sent.')
