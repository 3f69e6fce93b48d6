import type { IdentityService } from '../../identities/service.ts'
import type { IdentityLocks } from '../../identities/store-locks.ts'
import type { Identity, Json } from '../../identities/types.ts'
import { NotLocked, type Queryable } from '../../kernel/db/client.ts'
import { withQuery } from '../../kernel/http/query.ts'
import type { SessionService } from '../../sessions/service.ts'
import type { Session } from '../../sessions/types.ts'
import { identityDisabled } from '../errors.ts'
import { cleared } from '../nodes.ts'
import type { SettingsFlows } from '../settings/flow.ts'
import type { SettingsFlow } from '../settings/types.ts'
import { requestedLoginChallenge, requestedReturnTo } from '../urls.ts'
import type { BeginRecoveryDeps } from './begin.ts'
import type { Recovered } from './method.ts'
import { reclaim } from './reclaim.ts'
import type { RecoveryCaller } from './submit.ts'
import type { RecoveryFlow } from './types.ts'

export type FinishDeps = BeginRecoveryDeps & {
  sessions: Pick<SessionService, 'resolve' | 'issue' | 'revoke' | 'revokeAllOf'>
  identities: Pick<IdentityService, 'get' | 'changeCredentials'>
  locks: Pick<IdentityLocks, 'tx'>
  settings: Pick<SettingsFlows, 'beginRecovered'>
}

export interface Finished {
  kind: 'finished'
  flow: RecoveryFlow
  /** absent for a native client that could not take it: a session without a holder must not begin */
  issued: { session: Session; token: string } | undefined
  settings: SettingsFlow
  transientPayload: Json
}

/**
 * Signs in the owner of a proved address, and sends them to the settings.
 * @throws ProofUsed; 401 for a disabled identity: the proof is used up all the same
 */
export async function finishRecovery(
  d: FinishDeps,
  flow: RecoveryFlow,
  caller: RecoveryCaller,
  proof: Recovered,
  transientPayload: Json,
): Promise<Finished> {
  const identity = await d.identities.get(proof.identityId)
  const active = identity.state === 'active'
  const inBrowser = flow.type === 'browser' || caller.byLink
  const renewed = inBrowser || !active ? caller.renewCsrf() : ''
  const csrfToken = inBrowser ? renewed : ''
  if (active) await endSessionOfAnother(d, caller, identity)
  const work = async (tx: Queryable): Promise<Finished | 'disabled'> => {
    const ui = cleared(flow.ui, new Map([['csrf_token', csrfToken]]))
    const done: RecoveryFlow = { ...flow, ui, state: 'passed_challenge', csrf_token: csrfToken }
    await d.store.finish(done, identity.id, tx)
    const reclaimed = active ? await reclaim(d, proof, tx) : undefined
    const owner = reclaimed ?? identity
    await proof.use(tx)
    if (!active) return 'disabled'
    const issued = isHeld(d, flow, caller) ? await issue(d, owner, proof, caller, tx) : undefined
    await endOthers(d, owner, issued?.session, reclaimed !== undefined, tx)
    const settings = await d.settings.beginRecovered(settingsRequest(d, flow, caller, csrfToken), owner, tx)
    return { kind: 'finished', flow: done, issued, settings, transientPayload }
  }
  const finished = await d.locks.tx({ identity: identity.id }, work).catch(async (error: unknown) => {
    if (!(error instanceof NotLocked)) throw error
    throw (await d.identities.get(identity.id)).state === 'active' ? error : identityDisabled(identity.id)
  })
  if (finished === 'disabled') throw identityDisabled(identity.id)
  return finished
}

/** Whether the session reaches its owner: a native client gets the token only under this flag. */
const isHeld = (d: FinishDeps, flow: RecoveryFlow, caller: RecoveryCaller) =>
  flow.type === 'browser' || caller.byLink || d.config().feature_flags.use_continue_with_transitions

function issue(d: FinishDeps, identity: Identity, { method }: Recovered, { device }: RecoveryCaller, tx: Queryable) {
  return d.sessions.issue({ identity, authentication: { method, aal: 'aal1' }, device }, tx)
}

/** The cookie changes its owner: the session that it held must not go on unseen. */
async function endSessionOfAnother(d: FinishDeps, caller: RecoveryCaller, identity: Identity): Promise<void> {
  const held = await d.sessions.resolve(caller.credentials)
  if (held?.via === 'cookie' && held.session.identity_id !== identity.id)
    await d.sessions.revoke(held.session, 'logout')
}

/** An attacker who made the recovery necessary may be signed in. */
async function endOthers(
  d: FinishDeps,
  { id }: Identity,
  own: Session | undefined,
  reclaimed: boolean,
  tx: Queryable,
): Promise<void> {
  const { selfservice, lethe } = d.config()
  const hooked = selfservice.flows.recovery.after.hooks.some(({ hook }) => hook === 'revoke_active_sessions')
  if (!hooked && !reclaimed && lethe.sessions.end_on_recovery === 'none') return
  await d.sessions.revokeAllOf(id, 'recovery', { ...(own && { except: own.id }), tx })
}

/** The login that an OAuth2 server waits for: it goes on once there is a new credential. */
function waitingServer({ config, urls }: FinishDeps, { type, request_url }: RecoveryFlow): string | undefined {
  const challenge = type === 'browser' ? requestedLoginChallenge(request_url) : undefined
  return challenge && config().oauth2_provider.url ? urls.login({ login_challenge: challenge }) : undefined
}

function settingsRequest(d: FinishDeps, flow: RecoveryFlow, caller: RecoveryCaller, csrfToken: string) {
  const { default_browser_return_url: after } = d.config().selfservice.flows.recovery.after
  const returnTo = waitingServer(d, flow) ?? (requestedReturnTo(flow.request_url) || (after ?? ''))
  const url = d.urls.action('recovery', flow.id)
  const requestUrl = returnTo === '' ? url : withQuery(url, { return_to: returnTo })
  return { type: caller.byLink ? 'browser' : flow.type, requestUrl, csrfToken } as const
}
