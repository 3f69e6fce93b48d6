import type { IdentityService } from '../../identities/service.ts'
import { isUuid } from '../../kernel/base/uuid.ts'
import type { Db } from '../../kernel/db/client.ts'
import { badRequest, HttpError } from '../../kernel/http/errors.ts'
import { methodDisabled } from '../errors.ts'
import type { FlowType } from '../types.ts'
import { type BeginRecoveryDeps, flowWith } from './begin.ts'
import type { RecoveryMethodId } from './method.ts'

export interface HandOutDeps extends BeginRecoveryDeps {
  db: Pick<Db, 'tx'>
  identities: Pick<IdentityService, 'get'>
  /** the lifespan of the method's codes or links */
  lifespanMs(method: RecoveryMethodId): number
}

export interface HandOutRequest {
  method: RecoveryMethodId
  /** the URL of the call, as operators know it */
  requestUrl: string
  /** undefined where none was given */
  identityId: string | undefined
  /** undefined: as long as the method says */
  expiresInMs: number | undefined
  type: FlowType
}

export interface HandedOutRecovery {
  link: string
  code: string | undefined
  expiresAt: string
}

/** An operator helps an owner back in: with a code, or a link, that is not sent by a message. */
export type HandOut = (request: HandOutRequest) => Promise<HandedOutRecovery>

/** @throws 404 where the method is switched off, and for an unknown identity with a code; 400 for one with a link */
export const createHandOut =
  (d: HandOutDeps): HandOut =>
  async ({ method: id, requestUrl, identityId, expiresInMs, type }) => {
    const method = d.methods.find((one) => one.id === id)
    if (!method || !d.config().selfservice.methods[id].enabled) throw methodDisabled()
    d.urls.returnTo(requestUrl)
    await assertIdentity(d, id, identityId)
    const begun = flowWith(d, method, { type, requestUrl, csrfToken: '' }, expiresInMs ?? d.lifespanMs(id))
    const { flow, link, code, write } = method.handOut(begun, identityId!, begun.expires_at)
    await d.db.tx(async (tx) => {
      await d.store.insert(flow, tx)
      await write(tx)
    })
    return { link, code, expiresAt: flow.expires_at }
  }

async function assertIdentity(d: HandOutDeps, method: RecoveryMethodId, id: string | undefined): Promise<void> {
  try {
    if (id === undefined || !isUuid(id)) throw new HttpError(404, '')
    await d.identities.get(id)
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 404) throw error
    if (method === 'link') throw badRequest('The requested identity id does not exist.')
    throw new HttpError(404, 'Unable to locate the resource', { reason: 'could not find identity' })
  }
}
