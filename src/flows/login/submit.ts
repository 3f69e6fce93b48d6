import { reaches } from '../../credentials/aal.ts'
import type { Identity } from '../../identities/types.ts'
import { NotLocked } from '../../kernel/db/client.ts'
import { noActiveSession } from '../../kernel/http/errors.ts'
import { attempt, type Failed, FormRefused, findSubmitted, refused, type ShownAgain } from '../attempt.ts'
import { type BeginRequest, expiryOf } from '../begin.ts'
import { addressUnverified, identityDisabled, secondFactorNeedsSession, signedInAlready } from '../errors.ts'
import { checkOrigin, fieldText, transientPayload } from '../form.ts'
import { messages } from '../messages.ts'
import { type Replaced, replaceExpired } from '../replace.ts'
import type { Caller, FormProblem, SubmittedForm } from '../types.ts'
import { type BeginLoginDeps, newLoginFlow } from './begin.ts'
import {
  type CompleteLoginDeps,
  type Completion,
  completeLogin,
  loginHooks,
  renewedBy,
  type SignedIn,
} from './complete.ts'
import { authenticate, type PasswordDeps, type Proof, renewHash } from './credentials.ts'
import type { KnownBrowsers } from './known-browsers.ts'
import type { LoginFlow } from './types.ts'

export type SubmitLoginDeps = BeginLoginDeps & CompleteLoginDeps & PasswordDeps & { knownBrowsers: KnownBrowsers }

export interface RememberedSignIn extends SignedIn {
  /** for the cookie that tells this browser from those who guess */
  knownBrowser: string
}

export type LoginOutcome =
  | RememberedSignIn
  | Replaced<LoginFlow>
  | ShownAgain<LoginFlow>
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
    return replaceExpired('login', { old: flow, expired, caller }, make, d.store.insert)
  }
  return attempt(d, flow, caller, async (told) => {
    if (nothingToProve) throw signedInAlready('login')
    if (nobodyToProve) throw secondFactorNeedsSession()
    const form = await caller.form()
    const proof = readProof(d, flow, form)
    told.taken = true
    told.values.set('identifier', proof.identifier)
    checkOrigin(flow, caller, form)
    told.transientPayload = transientPayload(form)
    checkComplete(proof)
    const signedIn = await enter(d, proof, { flow, caller, current, returnTo: returnToOf(d, flow) })
    return { ...signedIn, knownBrowser: d.knownBrowsers.add(caller.knownBrowser, proof.identifier) }
  })
}

/** Two sign-ins at once with an outdated hash need two: one replaces the hash, the other checks the new one. */
const TRIES = 3

/**
 * Checks the password and begins the session. Checking takes long enough for the password, the account or the session
 * that is renewed to change meanwhile; then everything is looked at again.
 * @throws 401 when the session to renew has ended
 */
async function enter(
  d: SubmitLoginDeps,
  proof: Proof,
  request: Pick<Completion, 'flow' | 'caller' | 'current' | 'returnTo'>,
): Promise<SignedIn> {
  const { flow, caller } = request
  const checkMayEnter = (identity: Identity) => assertMayEnter(d, identity, caller.scripted || flow.type === 'api')
  for (let attempt = 1; ; attempt += 1) {
    const credential = await authenticate(d, proof, caller)
    checkMayEnter(credential.identity)
    const completion = { ...request, credential, checkMayEnter }
    try {
      const done = await completeLogin(d, completion)
      await renewHash(d, credential, proof.password)
      return done
    } catch (error) {
      if (!(error instanceof NotLocked) || attempt === TRIES) throw error
      const renewed = renewedBy(completion)?.session.id
      if (renewed !== undefined && (await d.sessions.resolve(caller.credentials))?.session.id !== renewed) {
        throw noActiveSession()
      }
    }
  }
}

/** @throws FormRefused for a method that is none of ours */
function readProof(d: SubmitLoginDeps, flow: LoginFlow, form: SubmittedForm): Proof {
  const { enabled } = d.config().selfservice.methods.password
  if (fieldText(form, 'method') !== 'password' || !enabled || flow.requested_aal === 'aal2') {
    throw refused(messages.noLoginMethod)
  }
  // `password_identifier` is what old forms call it.
  const identifier = fieldText(form, 'identifier') || fieldText(form, 'password_identifier')
  return { identifier, password: fieldText(form, 'password') }
}

function checkComplete(proof: Proof): void {
  const missing = (['identifier', 'password'] as const).filter((name) => proof[name] === '')
  const problems = missing.map((name): FormProblem => ({ path: name, message: messages.missing(name) }))
  if (problems.length > 0) throw new FormRefused(problems)
}

/** @param scripted gets an error of its own for an unverified address, where a person gets the form with a message */
function assertMayEnter(d: SubmitLoginDeps, identity: Identity, scripted: boolean): void {
  if (identity.state !== 'active') throw identityDisabled(identity.id)
  if (!loginHooks(d.config()).has('require_verified_address')) return
  if (identity.verifiable_addresses.some(({ verified }) => verified)) return
  const asMessage = !scripted || d.config().feature_flags.legacy_require_verified_login_error
  throw asMessage ? refused(messages.unverified) : addressUnverified()
}

function returnToOf(d: SubmitLoginDeps, flow: LoginFlow): string {
  const { after } = d.config().selfservice.flows.login
  return d.urls.returnTo(flow.request_url, after.password.default_browser_return_url, after.default_browser_return_url)
}
