import type { Config } from '../../../config/schema/schema.ts'
import { type OwnerMailDeps, sendToOwner } from '../../../courier/owner-mail.ts'
import { MOST_AT_ONCE } from '../../../courier/types.ts'
import type { Write } from '../../../flows/engine/compose.ts'
import type { LoginFlow } from '../../../flows/login/types.ts'
import type { FullIdentity, JsonObject } from '../../../identities/types.ts'
import { type Clock, formatTime } from '../../../kernel/base/clock.ts'
import { uuid } from '../../../kernel/base/uuid.ts'
import { keyedHash } from '../../../kernel/crypto/one-time.ts'
import type { Random } from '../../../kernel/crypto/tokens.ts'
import type { CodeAddress } from '../addresses.ts'
import { codeSettings, minutesOf } from '../settings.ts'
import type { LoginCodeStore } from './store.ts'

export interface SendLoginCodeDeps extends OwnerMailDeps {
  config(): Config
  clock: Clock
  random: Random
  /** the first one hashes, all of them are compared */
  secrets(): readonly string[]
  loginCodes: LoginCodeStore
}

export interface Recipients {
  flow: Pick<LoginFlow, 'id' | 'request_url' | 'state'>
  /** undefined for an unknown address */
  identity: FullIdentity | undefined
  addresses: readonly CodeAddress[]
  headers: Readonly<Record<string, readonly string[]>>
  /** that asked for it */
  network: string | undefined
  transientPayload: JsonObject | undefined
}

/** A code for each address, so that it shows which one is proved. Earlier codes of the flow are void. */
export function sendLoginCodes(d: SendLoginCodeDeps, to: Recipients): Write {
  return async (tx) => {
    // For an unknown address no row is inserted, and it takes as long.
    const identityId = to.identity?.id ?? uuid(d.random)
    await d.loginCodes.hold(identityId, tx)
    await d.loginCodes.forget(to.flow.id, tx)
    for (const address of to.addresses.slice(0, MOST_AT_ONCE)) {
      const { via: channel, value: recipient } = address
      const { code, again } = await d.courier.codeFor({ channel, recipient }, 'login', to.flow, tx)
      const now = d.clock.now()
      const { lifespanMs } = codeSettings(d.config())
      await d.loginCodes.insert(
        {
          id: uuid(d.random),
          hash: keyedHash(code, d.secrets()[0]!),
          address,
          expiresAt: formatTime(now + Math.trunc(lifespanMs * 1000)),
          now: formatTime(now),
          flowId: to.flow.id,
          identityId,
        },
        tx,
      )
      await sendToOwner(d, tx, {
        kind: 'login_code',
        owner: to.identity && { identity: to.identity },
        again,
        to: { channel, value: recipient },
        tellUnknown: false,
        request: { request_url: to.flow.request_url, transient_payload: to.transientPayload ?? {} },
        requestHeaders: to.headers,
        network: to.network,
        secret: { login_code: code, expires_in_minutes: minutesOf(d.config(), 'login') },
      })
    }
  }
}
