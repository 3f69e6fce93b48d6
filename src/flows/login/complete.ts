import type { Config } from '../../config/schema/schema.ts'
import { secondFactorOf } from '../../credentials/available-aal.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { IdentityLocks } from '../../identities/store-locks.ts'
import type { JsonObject } from '../../identities/types.ts'
import { NO_UUID } from '../../kernel/base/uuid.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { Proof, SessionService } from '../../sessions/service.ts'
import type { Resolved, Session } from '../../sessions/types.ts'
import { currentCsrfToken } from '../attempt.ts'
import { HookRefused } from '../hooks/hooks.ts'
import { messages } from '../messages.ts'
import { FormRefused, refused } from '../refused.ts'
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
  identities: Pick<IdentityService, 'get' | 'correctAvailableAal'>
  verification: Pick<VerificationFlows, 'beginUnasked'>
  store: LoginStore
  urls: FlowUrls
  sessions: SessionService
  /** accounts in a flow that wait to be linked to the identity that signs in */
  waiting: {
    /** What is carried to another flow; undefined if no account waits. */
    carried(flow: LoginFlow): JsonObject | undefined
    /** @returns what the session proves as well. @throws FormRefused for another identity */
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
  /** a new session, so the browser needs new cookies */
  fresh: boolean
  /** set while the session needs the second factor that is proved there */
  secondFactorAt: string | undefined
  /** verifications that were begun and that the person should continue with */
  verifications: Begun[]
}

export interface Completion extends Pick<LoginRequest, 'flow' | 'caller' | 'current'> {
  method: LoginMethodId
  proved: Proved
  transientPayload: JsonObject | undefined
}

/** The session that the login renews or raises: of the same identity, with `refresh` or a higher `aal`. */
export const renewedBy = ({ flow, current, proved }: Completion) =>
  (flow.refresh || flow.requested_aal === 'aal2') && current?.session.identity_id === proved.identity.id
    ? current
    : undefined

/**
 * Begins the session, or renews the one of the same identity that asked for it.
 * @param admission checked again with the identity as it is then. @throws what refuses the login
 * @throws NotLocked when password, identity or session have changed: nothing was written
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
      begun.session = await corrected(d, begun.session, tx)
      await link(d, c, begun.session, tx)
      // The statement that begins a session checks only the state of the identity.
      if (names.has('require_verified_address')) mayEnter(await d.identities.get(identity.id, tx))
      if (names.has('revoke_active_sessions')) {
        await d.sessions.revokeAllOf(identity.id, 'limit', { except: begun.session.id, tx })
      }
      if (!names.has('verification')) return { ...begun, verifications: [] }
      const verifications = await verify(d, c, begun.session, tx)
      // Read again, so that the answer shows the addresses as `sent`.
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

/**
 * A factor that was removed past this server, e.g. by SQL, leaves `available_aal` behind: its person would be asked for a
 * factor that is not there, at every sign-in.
 */
async function corrected(d: CompleteLoginDeps, session: Session, tx: Queryable): Promise<Session> {
  if (!d.sessions.lacksSecondFactor(session)) return session
  const identity = await d.identities.correctAvailableAal(session.identity_id, tx)
  return identity ? { ...session, identity, second_factor: secondFactorOf(identity.credentials) } : session
}

/** A first factor alone must not link an account while a second factor is still needed. */
async function link(d: CompleteLoginDeps, { flow, proved }: Completion, session: Session, tx: Queryable) {
  if (d.sessions.lacksSecondFactor(session)) return
  const linked = await d.waiting.link(flow, proved.identity.id, tx).catch(asHook)
  if (linked) session.authentication_methods.push(await d.sessions.raise(session, linked, tx))
}

/** Kratos links where it runs hooks: the form is shown again without what was typed. */
function asHook(error: unknown): never {
  throw error instanceof FormRefused ? new HookRefused(error.problems) : error
}

function issue(d: CompleteLoginDeps, { caller, proved }: Completion, id: string | undefined, tx: Queryable) {
  const { identity, authentication, passwordHash, upstream } = proved
  return d.sessions.issue({ id, identity, authentication, passwordHash, upstream, device: caller.device }, tx)
}

/** Writes to an address that is not verified. */
async function verify(d: CompleteLoginDeps, { flow, caller, proved }: Completion, session: Session, tx: Queryable) {
  const identity = await d.identities.get(proved.identity.id, tx)
  const csrfToken = currentCsrfToken(flow, caller)
  const request = { type: flow.type, requestUrl: flow.request_url, csrfToken, facts: caller.facts }
  const needs = ({ verified }: { verified: boolean }) => !verified
  return verifyUnasked(d.verification, { identity, request, session, needs }, tx)
}

/** An ended session is never revived. */
async function renew(d: CompleteLoginDeps, c: Completion, { session, token }: Resolved, tx: Queryable) {
  const renewed = await d.sessions.refresh(session, c.proved, tx)
  // Kratos lists the device of a renewal in the answer, and stores no row for it.
  const devices = [...renewed.devices, { id: NO_UUID, ...c.caller.device }]
  // With what the proof has changed in it, e.g. an address that is verified now.
  return { session: { ...renewed, identity: c.proved.identity, devices }, token }
}
