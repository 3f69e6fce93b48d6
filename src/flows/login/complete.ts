import type { Config } from '../../config/schema/schema.ts'
import type { Identity } from '../../identities/types.ts'
import type { Db } from '../../kernel/db/client.ts'
import { noActiveSession } from '../../kernel/http/errors.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Resolved, Session } from '../../sessions/types.ts'
import type { Caller } from '../types.ts'
import { type FlowUrls, requestedReturnTo } from '../urls.ts'
import type { LoginStore } from './store.ts'
import type { LoginFlow } from './types.ts'

export interface CompleteLoginDeps {
  config(): Config
  db: Pick<Db, 'tx'>
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
  identity: Identity
  returnTo: string
}

const METHOD = 'password'
/** How Kratos lists the device that a session was renewed from: it gets no row. */
const NO_ID = '00000000-0000-0000-0000-000000000000'

/** The hooks that run after a login by password: those of the method, else the general ones. */
export function loginHooks(config: Config): ReadonlySet<string> {
  const { after } = config.selfservice.flows.login
  return new Set((after.password.hooks.length > 0 ? after.password.hooks : after.hooks).map(({ hook }) => hook))
}

/** Begins the session, or renews the one that the same person asked to prove anew. */
export async function completeLogin(d: CompleteLoginDeps, c: Completion): Promise<SignedIn> {
  const renewed = c.flow.refresh && c.current?.session.identity_id === c.identity.id ? c.current : undefined
  const { session, token } = renewed ? await renew(d, c, renewed) : await issue(d, c)
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

function issue(d: CompleteLoginDeps, { flow, caller, identity }: Completion) {
  return d.db.tx(async (tx) => {
    await d.store.complete(flow.id, METHOD, tx)
    const issued = await d.sessions.issue({ identity, method: METHOD, device: caller.device }, tx)
    if (loginHooks(d.config()).has('revoke_active_sessions')) {
      await d.sessions.revokeAllOf(identity.id, 'limit', { except: issued.session.id, tx })
    }
    return issued
  })
}

/** @throws 401 when the session ended while the password was checked: what has ended is never brought back */
async function renew(d: CompleteLoginDeps, { flow, caller, identity }: Completion, { session, token }: Resolved) {
  const renewed = await d.sessions.refresh(session, METHOD)
  if (!renewed) throw noActiveSession()
  await d.store.complete(flow.id, METHOD)
  if (loginHooks(d.config()).has('revoke_active_sessions')) {
    await d.sessions.revokeAllOf(identity.id, 'limit', { except: session.id })
  }
  return { session: { ...renewed, devices: [...renewed.devices, { id: NO_ID, ...caller.device }] }, token }
}
