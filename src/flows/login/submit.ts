import { reaches } from '../../credentials/aal.ts'
import type { Identity, Json } from '../../identities/types.ts'
import { NotLocked } from '../../kernel/db/client.ts'
import { noActiveSession } from '../../kernel/http/errors.ts'
import { attempt, currentCsrfToken, type Failed, findSubmitted, type ShownAgain, type Taken } from '../attempt.ts'
import { type BeginRequest, expiryOf } from '../begin.ts'
import { type Redirect, showNext } from '../engine/step.ts'
import { storeFlow } from '../engine/unstored.ts'
import { addressUnverified, identityDisabled, secondFactorNeedsSession, signedInAlready } from '../errors.ts'
import { messages } from '../messages.ts'
import { refused } from '../refused.ts'
import { type Replaced, replaceExpired } from '../replace.ts'
import type { Caller } from '../types.ts'
import { type BeginLoginDeps, newLoginFlow } from './begin.ts'
import {
  afterMethod,
  type CompleteLoginDeps,
  type Completion,
  completeLogin,
  loginHooks,
  renewedBy,
  type SignedIn,
} from './complete.ts'
import type { KnownBrowsers } from './known-browsers.ts'
import type { LoginMethod, LoginMethodId, LoginRequest } from './method.ts'
import type { LoginFlow } from './types.ts'

export type SubmitLoginDeps = BeginLoginDeps & CompleteLoginDeps & { knownBrowsers: KnownBrowsers }

export interface RememberedSignIn extends SignedIn {
  returnTo: string
  /** for the cookie that tells this browser from those who guess; undefined where nobody can guess */
  knownBrowser: string | undefined
}

export type LoginOutcome =
  | RememberedSignIn
  | Replaced<LoginFlow>
  | ShownAgain<LoginFlow>
  | (Redirect & { flow: LoginFlow })
  | Failed
  /** somebody is signed in who did not ask to prove it anew */
  | { kind: 'signedInAlready' }

/**
 * Takes a submitted login form. Every check comes before the first write.
 * @throws 400 without a flow id, 404, 403, 401 for a disabled identity and for a session that ended meanwhile
 */
export async function submitLogin(d: SubmitLoginDeps, flowId: string, caller: Caller): Promise<LoginOutcome> {
  const flow = await findSubmitted(d.store, flowId)
  const current = await d.sessions.resolve(caller.credentials)
  const nothingToProve = current !== undefined && !flow.refresh && reaches(current.session.aal, flow.requested_aal)
  if (nothingToProve && flow.type === 'browser' && !caller.scripted) return { kind: 'signedInAlready' }
  const nobodyToProve = current === undefined && flow.requested_aal === 'aal2'
  const expired = expiryOf(flow, d.clock.now())
  if (expired && !nothingToProve && !nobodyToProve) {
    const wish = { refresh: flow.refresh, aal: flow.requested_aal, schema: flow.identity_schema }
    const make = (request: BeginRequest) => newLoginFlow(d, request, wish, current?.session)
    return replaceExpired('login', { old: flow, expired, caller }, make, (begun) => storeFlow(d, begun))
  }
  async function take(): Promise<Taken<LoginMethod>> {
    if (nothingToProve) throw signedInAlready('login')
    if (nobodyToProve) throw secondFactorNeedsSession()
    const form = await caller.form()
    const method = d.methods.find((one) => one.takes(form, flow))
    if (!method) throw refused(messages.noLoginMethod)
    return { form, method, kept: method.kept(form) }
  }
  return attempt<LoginFlow, Taken<LoginMethod>, LoginOutcome>(
    d,
    { flow, caller },
    take,
    ({ form, method }, payload) => {
      const request = { flow, form, caller, current, csrfToken: currentCsrfToken(flow, caller) }
      return proceed(d, method, request, payload)
    },
  )
}

/** Two sign-ins at once with an outdated hash need two: one replaces the hash, the other checks the new one. */
const TRIES = 3

/**
 * Lets the method check, and begins the session or goes on to what it asks for next. Checking takes long enough for the
 * credential, the account or the session that is renewed to change meanwhile; then everything is looked at again.
 * @throws 401 when the session to renew has ended
 */
async function proceed(
  d: SubmitLoginDeps,
  method: LoginMethod,
  request: LoginRequest,
  payload: Json | undefined,
): Promise<LoginOutcome> {
  for (let tries = 1; ; tries += 1) {
    const result = await method.login(request)
    if (result.kind === 'redirect') return { ...result, flow: request.flow }
    if (result.kind === 'form') return showNext(d, request.flow, result, payload)
    const completion = { ...request, method: method.id, proved: result }
    try {
      return await finishLogin(d, completion)
    } catch (error) {
      if (!(error instanceof NotLocked) || tries === TRIES) throw error
      const renewed = renewedBy(completion)?.session.id
      if (renewed !== undefined && (await d.sessions.resolve(request.caller.credentials))?.session.id !== renewed) {
        throw noActiveSession()
      }
    }
  }
}

/** Signs in somebody who has proved who they are. @throws 401, 403, FormRefused, NotLocked */
export async function finishLogin(d: SubmitLoginDeps, c: Completion): Promise<RememberedSignIn> {
  const { flow, caller, proved } = c
  const mayEnter = (identity: Identity) => assertMayEnter(d, c.method, identity, caller.scripted || flow.type === 'api')
  mayEnter(proved.identity)
  const returnTo = returnToOf(d, flow, c.method)
  const signedIn = await completeLogin(d, c, mayEnter)
  await proved.after?.()
  const { identifier } = proved
  const knownBrowser = identifier === undefined ? undefined : d.knownBrowsers.add(caller.knownBrowser, identifier)
  return { ...signedIn, returnTo, knownBrowser }
}

/** @param scripted gets an error of its own for an unverified address, where a person gets the form with a message */
function assertMayEnter(d: SubmitLoginDeps, method: LoginMethodId, identity: Identity, scripted: boolean): void {
  if (identity.state !== 'active') throw identityDisabled(identity.id)
  if (!loginHooks(d.config(), method).has('require_verified_address')) return
  if (identity.verifiable_addresses.some(({ verified }) => verified)) return
  const asMessage = !scripted || d.config().feature_flags.legacy_require_verified_login_error
  throw asMessage ? refused(messages.unverified) : addressUnverified()
}

function returnToOf(d: SubmitLoginDeps, flow: LoginFlow, method: LoginMethodId): string {
  const { after } = d.config().selfservice.flows.login
  const own = afterMethod(after, method)?.default_browser_return_url
  return d.urls.returnTo(flow.request_url, own, after.default_browser_return_url)
}
