import type { Config } from '../../config/schema/schema.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { IdentityLocks } from '../../identities/store-locks.ts'
import type { JsonObject } from '../../identities/types.ts'
import { NO_UUID } from '../../kernel/base/uuid.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { Proof, SessionService } from '../../sessions/service.ts'
import type { Resolved, Session } from '../../sessions/types.ts'
import { currentCsrfToken } from '../attempt.ts'
import { messages } from '../messages.ts'
import { refused } from '../refused.ts'
import { type FlowUrls, requestedLoginChallenge, requestedReturnTo } from '../urls.ts'
import type { VerificationFlows } from '../verification/flow.ts'
import { type Begun, verifyUnasked } from '../verification/unasked.ts'
import type { Admission } from './admit.ts'
import type { LoginMethodId, LoginRequest, Proved } from './method.ts'
import type { LoginStore } from './store.ts'
import type { LoginFlow } from './types.ts'

export interface CompleteLoginDeps {
  config(): Config
  locks: Pick<IdentityLocks, 'tx'>
  identities: Pick<IdentityService, 'get'>
  verification: Pick<VerificationFlows, 'beginUnasked'>
  store: LoginStore
  urls: FlowUrls
  sessions: SessionService
  /** accounts that wait in a flow to be linked to whoever signs in */
  waiting: {
    /** What goes with the person to another flow; undefined where none waits. */
    carried(flow: LoginFlow): JsonObject | undefined
    /** @returns what the session proves besides. @throws FormRefused for somebody else */
    link(
      flow: LoginFlow,
      identityId: string,
      tx: Queryable,
    ): Promise<Pick<Proof, 'authentication' | 'upstream'> | undefined>
  }
  /** where a browser proves its second factor */
  secondFactorUrl(returnTo: string, loginChallenge?: string): string
}

export interface SignedIn {
  kind: 'signedIn'
  flow: LoginFlow
  session: Session
  token: string
  /** a session that did not exist before, so the browser needs new cookies */
  fresh: boolean
  /** set while the session is not enough without the second factor that is proved there */
  secondFactorAt: string | undefined
  /** verifications that were begun, where the person is to be led on to them */
  verifications: Begun[]
}

export interface Completion extends Pick<LoginRequest, 'flow' | 'caller' | 'current'> {
  method: LoginMethodId
  proved: Proved
  transientPayload: JsonObject | undefined
}

/** The session that the login renews or raises: that of the same person, who asked to prove anew or more. */
export const renewedBy = ({ flow, current, proved }: Completion) =>
  (flow.refresh || flow.requested_aal === 'aal2') && current?.session.identity_id === proved.identity.id
    ? current
    : undefined

/**
 * Begins the session, or renews the one that the same person asked to prove anew.
 * @param admission asked again of the identity as it is then. @throws what refuses the login
 * @throws NotLocked when the password, the identity or the session to renew is not what it was: nothing was written
 */
export async function completeLogin(
  d: CompleteLoginDeps,
  c: Completion,
  { hooks, mayEnter, sessionId }: Admission,
): Promise<SignedIn> {
  const renewed = renewedBy(c)
  const { identity, write } = c.proved
  const names = new Set(hooks.map(({ hook }) => hook))
  const { session, token, verifications } = await d.locks.tx(
    { identity: identity.id, session: renewed?.session.id },
    async (tx) => {
      if (!(await d.store.complete(c.flow, c.method, tx))) throw refused(messages.answeredAlready())
      await write?.(tx)
      const begun = renewed ? await renew(d, c, renewed, tx) : await issue(d, c, sessionId, tx)
      await link(d, c, begun.session, tx)
      // Only the state of an identity is looked at by the statement that begins a session.
      if (names.has('require_verified_address')) mayEnter(await d.identities.get(identity.id, tx))
      if (names.has('revoke_active_sessions')) {
        await d.sessions.revokeAllOf(identity.id, 'limit', { except: begun.session.id, tx })
      }
      if (!names.has('verification')) return { ...begun, verifications: [] }
      const verifications = await verify(d, c, begun.session, tx)
      // Addresses that were written to are told as such.
      const now = verifications.length > 0 ? await d.identities.get(identity.id, tx) : begun.session.identity
      return { ...begun, session: { ...begun.session, identity: now }, verifications }
    },
  )
  return {
    kind: 'signedIn',
    flow: { ...c.flow, active_method: c.method },
    session,
    token,
    fresh: renewed === undefined,
    verifications: names.has('show_verification_ui') ? verifications : [],
    secondFactorAt: d.sessions.lacksSecondFactor(session)
      ? d.secondFactorUrl(requestedReturnTo(c.flow.request_url), requestedLoginChallenge(c.flow.request_url))
      : undefined,
  }
}

/** A first factor alone adds no further way in to somebody who is to prove a second one. */
async function link(d: CompleteLoginDeps, { flow, proved }: Completion, session: Session, tx: Queryable) {
  if (d.sessions.lacksSecondFactor(session)) return
  const linked = await d.waiting.link(flow, proved.identity.id, tx)
  if (linked) session.authentication_methods.push(await d.sessions.raise(session, linked, tx))
}

function issue(d: CompleteLoginDeps, { caller, proved }: Completion, id: string, tx: Queryable) {
  const { identity, authentication, passwordHash, upstream } = proved
  return d.sessions.issue({ id, identity, authentication, passwordHash, upstream, device: caller.device }, tx)
}

/** Writes to an address that nobody has proved yet. */
async function verify(d: CompleteLoginDeps, { flow, caller, proved }: Completion, session: Session, tx: Queryable) {
  const identity = await d.identities.get(proved.identity.id, tx)
  const request = { type: flow.type, requestUrl: flow.request_url, csrfToken: currentCsrfToken(flow, caller) }
  const needs = ({ verified }: { verified: boolean }) => !verified
  return verifyUnasked(d.verification, { identity, request, session, needs }, tx)
}

/** What has ended is never brought back. */
async function renew(d: CompleteLoginDeps, c: Completion, { session, token }: Resolved, tx: Queryable) {
  const renewed = await d.sessions.refresh(session, c.proved, tx)
  // How Kratos lists the device that a session was renewed from: it gets no row.
  const devices = [...renewed.devices, { id: NO_UUID, ...c.caller.device }]
  // With what the proof has changed in it, e.g. an address that is verified now.
  return { session: { ...renewed, identity: c.proved.identity, devices }, token }
}
