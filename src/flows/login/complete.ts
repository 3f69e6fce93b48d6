import type { Config } from '../../config/schema/schema.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { IdentityLocks } from '../../identities/store-locks.ts'
import type { Identity, PasswordCredential } from '../../identities/types.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Resolved, Session } from '../../sessions/types.ts'
import type { Caller } from '../types.ts'
import { type FlowUrls, requestedReturnTo } from '../urls.ts'
import type { LoginStore } from './store.ts'
import type { LoginFlow } from './types.ts'

export interface CompleteLoginDeps {
  config(): Config
  locks: Pick<IdentityLocks, 'tx'>
  identities: Pick<IdentityService, 'get'>
  store: LoginStore
  urls: FlowUrls
  sessions: SessionService
  /** where a browser proves its second factor */
  secondFactorUrl(returnTo: string): string
}

export interface SignedIn {
  kind: 'signedIn'
  flow: LoginFlow
  session: Session
  token: string
  /** a session that did not exist before, so the browser needs new cookies */
  fresh: boolean
  returnTo: string
  /** set while the session is not enough without the second factor that is proved there */
  secondFactorAt: string | undefined
}

export interface Completion {
  flow: LoginFlow
  caller: Caller
  current: Resolved | undefined
  /** what was checked; the session begins only if it is still so */
  credential: PasswordCredential
  returnTo: string
  /** asked again of the identity as it is then. @throws what refuses the login */
  checkMayEnter(identity: Identity): void
}

const METHOD = 'password'
const AUTHENTICATION = { method: METHOD, aal: 'aal1' } as const
/** How Kratos lists the device that a session was renewed from: it gets no row. */
const NO_ID = '00000000-0000-0000-0000-000000000000'

/** The hooks that run after a login by password: those of the method, else the general ones. */
export function loginHooks(config: Config): ReadonlySet<string> {
  const { after } = config.selfservice.flows.login
  return new Set((after.password.hooks.length > 0 ? after.password.hooks : after.hooks).map(({ hook }) => hook))
}

/** The session that the login renews: that of the same person, who asked to prove anew. */
export const renewedBy = ({ flow, current, credential }: Pick<Completion, 'flow' | 'current' | 'credential'>) =>
  flow.refresh && current?.session.identity_id === credential.identity.id ? current : undefined

/**
 * Begins the session, or renews the one that the same person asked to prove anew.
 * @throws NotLocked when the password, the identity or the session to renew is not what it was: nothing was written
 */
export async function completeLogin(d: CompleteLoginDeps, c: Completion): Promise<SignedIn> {
  const renewed = renewedBy(c)
  const { identity } = c.credential
  const { session, token } = await d.locks.tx({ identity: identity.id, session: renewed?.session.id }, async (tx) => {
    await d.store.complete(c.flow.id, METHOD, tx)
    const begun = renewed ? await renew(d, c, renewed, tx) : await issue(d, c, tx)
    // Only the state of an identity is looked at by the statement that begins a session.
    if (loginHooks(d.config()).has('require_verified_address')) c.checkMayEnter(await d.identities.get(identity.id, tx))
    if (loginHooks(d.config()).has('revoke_active_sessions')) {
      await d.sessions.revokeAllOf(identity.id, 'limit', { except: begun.session.id, tx })
    }
    return begun
  })
  return {
    kind: 'signedIn',
    flow: { ...c.flow, active_method: METHOD },
    session,
    token,
    fresh: renewed === undefined,
    returnTo: c.returnTo,
    secondFactorAt: d.sessions.lacksSecondFactor(session)
      ? d.secondFactorUrl(requestedReturnTo(c.flow.request_url))
      : undefined,
  }
}

function issue(d: CompleteLoginDeps, { caller, credential }: Completion, tx: Queryable) {
  const { identity, hash: passwordHash } = credential
  return d.sessions.issue({ identity, authentication: AUTHENTICATION, passwordHash, device: caller.device }, tx)
}

/** What has ended is never brought back. */
async function renew(d: CompleteLoginDeps, c: Completion, { session, token }: Resolved, tx: Queryable) {
  const renewed = await d.sessions.refresh(
    session,
    { authentication: AUTHENTICATION, passwordHash: c.credential.hash },
    tx,
  )
  return { session: { ...renewed, devices: [...renewed.devices, { id: NO_ID, ...c.caller.device }] }, token }
}
