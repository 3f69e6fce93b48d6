import { reaches } from '../../credentials/aal.ts'
import type { JsonObject } from '../../identities/types.ts'
import { NotLocked } from '../../kernel/db/client.ts'
import { noActiveSession } from '../../kernel/http/errors.ts'
import { attempt, currentCsrfToken, type Failed, findSubmitted, type ShownAgain, type Taken } from '../attempt.ts'
import { type BeginRequest, expiryOf } from '../begin.ts'
import { leave, type OtherKind, type Redirect, showNext } from '../engine/step.ts'
import { storeFlow } from '../engine/unstored.ts'
import { secondFactorNeedsSession, signedInAlready } from '../errors.ts'
import { HookRefused } from '../hooks/hooks.ts'
import { messages } from '../messages.ts'
import { refused } from '../refused.ts'
import { type Replaced, replaceExpired } from '../replace.ts'
import type { Caller, Expired } from '../types.ts'
import { type Admission, admit } from './admit.ts'
import { type BeginLoginDeps, newLoginFlow } from './begin.ts'
import { type CompleteLoginDeps, type Completion, completeLogin, renewedBy, type SignedIn } from './complete.ts'
import { LOGIN_ORDER } from './form.ts'
import { askForProof } from './identified.ts'
import type { KnownBrowsers } from './known-browsers.ts'
import type { LoginMethod, LoginRequest } from './method.ts'
import type { LoginFlow } from './types.ts'
import { orVerifyFirst } from './verify-first.ts'

export type SubmitLoginDeps = BeginLoginDeps & CompleteLoginDeps & { knownBrowsers: KnownBrowsers }

export interface RememberedSignIn extends SignedIn {
  returnTo: string
  /** for the cookie that tells this browser from attackers; undefined where the method cannot be guessed */
  knownBrowser: string | undefined
}

/** Signed in, or sent to what has to be done before. */
export type FinishedLogin = RememberedSignIn | (Redirect & { flow: LoginFlow })

export type LoginOutcome =
  | FinishedLogin
  | Replaced<LoginFlow>
  | ShownAgain<LoginFlow>
  | Failed
  | (OtherKind & { flow: LoginFlow })
  /** the caller is signed in and did not ask to prove it again */
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
  if (expired && !nothingToProve && !nobodyToProve) return replace(d, { flow, caller, current }, expired)
  async function take(): Promise<Taken<LoginMethod>> {
    if (nothingToProve) throw signedInAlready('login')
    if (nobodyToProve) throw secondFactorNeedsSession()
    const form = await caller.form()
    const method = d.methods.find((one) => one.takes(form, flow))
    if (!method) throw refused(messages.noLoginMethod)
    return { form, method, kept: method.kept(form), keepsCookies: method.keepsCookies }
  }
  return attempt<LoginFlow, Taken<LoginMethod>, LoginOutcome>(
    d,
    { flow, caller, order: () => LOGIN_ORDER },
    take,
    ({ form, method }, payload) => {
      const request = { flow, form, caller, current, csrfToken: currentCsrfToken(flow, caller) }
      return proceed(d, method, request, payload)
    },
  )
}

function replace(
  d: SubmitLoginDeps,
  { flow, caller, current }: Pick<LoginRequest, 'flow' | 'caller' | 'current'>,
  expired: Expired,
): Promise<Replaced<LoginFlow>> {
  const parameters = { refresh: flow.refresh, aal: flow.requested_aal, schema: flow.identity_schema }
  const make = (request: BeginRequest) => newLoginFlow(d, request, parameters, current?.session)
  return replaceExpired('login', { old: flow, expired, caller }, make, (begun) => storeFlow(d, begun))
}

/** Two concurrent logins with an outdated hash need two tries: one replaces the hash, the other checks the new one. */
const TRIES = 3

/**
 * Lets the method check, then begins the session or shows the next step. Checking takes long enough for the
 * credential, the account or the session to change meanwhile; then everything is checked again.
 * @throws 401 when the session to renew has ended
 */
async function proceed(
  d: SubmitLoginDeps,
  method: LoginMethod,
  request: LoginRequest,
  payload: JsonObject | undefined,
): Promise<LoginOutcome> {
  let admitted: Admission | undefined
  for (let tries = 1; ; tries += 1) {
    const result = await method.login(request)
    if (result.kind === 'redirect') return leave(d, request.flow, result)
    if (result.kind === 'identified') return showNext(d, request.flow, await askForProof(d, request, result), payload)
    if (result.kind === 'otherKind') return { ...result, flow: request.flow }
    if (result.kind === 'givenUp') return replace(d, request, result.expired)
    if (result.kind === 'form') return showNext(d, request.flow, result, payload)
    const completion = { ...request, method: method.id, proved: result, transientPayload: payload }
    try {
      return await orVerifyFirst(d, completion, async () => {
        admitted = await admit(d, completion, admitted)
        return enter(d, completion, admitted)
      })
    } catch (error) {
      if (error instanceof HookRefused) {
        // Kratos has stored the method by then, and not the input.
        return showNext(d, request.flow, { kind: 'form', problems: error.problems, active: method.id }, payload)
      }
      if (!(error instanceof NotLocked) || tries === TRIES) throw error
      const renewed = renewedBy(completion)?.session.id
      if (renewed !== undefined && (await d.sessions.resolve(request.caller.credentials))?.session.id !== renewed) {
        throw noActiveSession()
      }
    }
  }
}

/** Signs in after a proof. @throws 401, 403, FormRefused, NotLocked */
export function finishLogin(d: SubmitLoginDeps, c: Completion): Promise<FinishedLogin> {
  return orVerifyFirst(d, c, async () => enter(d, c, await admit(d, c)))
}

async function enter(d: SubmitLoginDeps, c: Completion, admission: Admission): Promise<RememberedSignIn> {
  const { caller, proved } = c
  const signedIn = await completeLogin(d, c, admission)
  await proved.after?.()
  // an app has no cookies
  const identifier = c.flow.type === 'api' ? undefined : proved.identifier
  const knownBrowser = identifier === undefined ? undefined : d.knownBrowsers.add(caller.knownBrowser, identifier)
  return { ...signedIn, returnTo: admission.returnTo, knownBrowser }
}
