import type { Json } from '../../identities/types.ts'
import type { Db } from '../../kernel/db/client.ts'
import { currentCsrfToken, type Failed, failed, findSubmitted, problemsOf, type ShownAgain } from '../attempt.ts'
import { type BeginRequest, expiryOf } from '../begin.ts'
import { methodDisabled, nativeFlowInBrowser } from '../errors.ts'
import { checkOrigin, fieldText, isUnreadable, proofForm, transientPayload } from '../form.ts'
import { HookRefused } from '../hooks/hooks.ts'
import { afterProof, type ProvedDeps } from '../hooks/proved.ts'
import { messages } from '../messages.ts'
import { cleared, withProblems } from '../nodes.ts'
import { type NextScreen, ProofUsed, type StartAgain } from '../proof/proof.ts'
import { refused } from '../refused.ts'
import { type Replaced, replaceExpired } from '../replace.ts'
import type { Caller, SubmittedForm, UiMessage } from '../types.ts'
import { newRecoveryFlow } from './begin.ts'
import { type FinishDeps, type Finished, finishRecovery } from './finish.ts'
import type { Recovered } from './method.ts'
import type { RecoveryFlow } from './types.ts'

export type SubmitRecoveryDeps = FinishDeps & ProvedDeps & { db: Pick<Db, 'tx'> }

/** The caller, with the members that only recovery needs. */
export interface RecoveryCaller extends Caller {
  /** the token of an opened link; empty: none */
  token: string
  /** a link was opened: in a browser, whichever client began the flow */
  byLink: boolean
  /** Sets another anti-CSRF cookie. @returns a token for it */
  renewCsrf(): string
}

export type RecoveryOutcome =
  | Finished
  | Replaced<RecoveryFlow>
  /** a new flow says why the old one cannot be used */
  | { kind: 'startedAgain'; flow: RecoveryFlow; message: UiMessage }
  /** the next screen, or the same one after a wrong code */
  | { kind: 'screen'; flow: RecoveryFlow; transientPayload: Json }
  | ShownAgain<RecoveryFlow>
  | Failed
  | { kind: 'signedInAlready'; flow: RecoveryFlow }

/** @throws 400 without a flow id, 404, 403, 401 for a disabled identity */
export async function submitRecovery(
  d: SubmitRecoveryDeps,
  flowId: string,
  caller: RecoveryCaller,
): Promise<RecoveryOutcome> {
  const flow = await findSubmitted(d.store, flowId, 'recovery')
  // After an error that belongs to no method the flow has none.
  const progress = { active: flow.active_method }
  try {
    return await step(d, flow, caller, progress)
  } catch (error) {
    const problems = problemsOf(error)
    if (!problems) return failed(flow, error)
    const ui = withProblems(cleared(flow.ui, new Map()), problems)
    const shown = { ...flow, ui, active_method: progress.active }
    await d.store.saveScreen(shown)
    return { kind: 'form', flow: shown, transientPayload: undefined }
  }
}

async function step(
  d: SubmitRecoveryDeps,
  flow: RecoveryFlow,
  caller: RecoveryCaller,
  progress: { active: string },
): Promise<RecoveryOutcome> {
  const expired = expiryOf(flow, d.clock.now())
  if (expired) {
    const type = caller.token === '' ? flow.type : 'browser'
    const make = async (request: BeginRequest) => ({ flow: newRecoveryFlow(d, { ...request, type }), writes: [] })
    return replaceExpired('recovery', { old: flow, expired, caller }, make, (fresh) => d.store.insert(fresh.flow))
  }
  const linked = await follow(d, flow, caller, caller.token)
  if (linked) return linked
  const form = await proofForm(flow, caller)
  const posted = await follow(d, flow, caller, fieldText(form, 'token'))
  if (posted) return posted
  const ofCode = d.methods.some(({ owns }) => owns?.(flow))
  if (ofCode && flow.type === 'api' && !flow.skip_csrf_check && caller.browserHeader !== undefined) {
    return startAgain(d, flow, caller, messages.generic(nativeFlowInBrowser(caller.browserHeader).reason!))
  }
  assertSwitchedOn(d, form)
  const found = methodOf(d, form, flow)
  progress.active = found?.method.id ?? 'default'
  if (!found) {
    if (ofCode) checkProofOrigin(flow, caller, form, 'ask')
    throw refused(messages.noRecoveryMethod)
  }
  const { method, purpose } = found
  if (purpose === 'ask' && (await d.sessions.resolve(caller.credentials))) return { kind: 'signedInAlready', flow }
  if (!isUnreadable(form)) checkProofOrigin(flow, caller, form, purpose)
  const payload = transientPayload(form)
  const csrfToken = currentCsrfToken(flow, caller)
  const next = await method[purpose]({ flow, form, caller, csrfToken, transientPayload: payload })
  return proceed(d, { ...flow, active_method: method.id }, caller, next, payload ?? {})
}

/** @throws 404 if the form names a method that is switched off */
function assertSwitchedOn(d: SubmitRecoveryDeps, form: SubmittedForm): void {
  const named = fieldText(form, 'method')
  if ((named === 'code' || named === 'link') && !d.config().selfservice.methods[named].enabled) throw methodDisabled()
}

function methodOf(d: SubmitRecoveryDeps, form: SubmittedForm, flow: RecoveryFlow) {
  for (const method of d.methods) {
    const purpose = method.reads(form, flow)
    if (purpose) return { method, purpose }
  }
  return undefined
}

/** @throws 403; the browser then has a cookie that matches its next form */
function checkProofOrigin(
  flow: RecoveryFlow,
  caller: RecoveryCaller,
  form: SubmittedForm,
  purpose: 'ask' | 'prove',
): void {
  if (flow.skip_csrf_check && purpose === 'prove') return
  try {
    checkOrigin(flow, caller, form)
  } catch (error) {
    if (!flow.skip_csrf_check) caller.renewCsrf()
    throw error
  }
}

/** A link is its own proof: it works in any browser, signed in or not. */
async function follow(
  d: SubmitRecoveryDeps,
  flow: RecoveryFlow,
  caller: RecoveryCaller,
  token: string,
): Promise<RecoveryOutcome | undefined> {
  const method = d.methods.find(({ follow }) => follow !== undefined)
  if (token === '' || !method?.follow || !d.config().selfservice.methods[method.id].enabled) return undefined
  caller.byLink = true
  const next = await method.follow(flow, token)
  return proceed(d, { ...flow, active_method: method.id }, caller, next, {})
}

async function proceed(
  d: SubmitRecoveryDeps,
  flow: RecoveryFlow,
  caller: RecoveryCaller,
  next: NextScreen | Recovered | StartAgain,
  payload: Json,
): Promise<RecoveryOutcome> {
  if (next.kind === 'startAgain') return startAgain(d, flow, caller, next.message)
  if (next.kind === 'recovered') return recovered(d, flow, caller, next, payload)
  const { action, method } = flow.ui
  const ui = { action, method, nodes: next.nodes, ...(next.messages.length === 0 ? {} : { messages: next.messages }) }
  const shown = { ...flow, ui, state: next.state }
  await d.db.tx(async (tx) => {
    await d.store.saveScreen(shown, tx)
    await next.write?.(tx)
  })
  return { kind: 'screen', flow: shown, transientPayload: payload }
}

const usedBy = ({ method }: Recovered) =>
  method === 'code_recovery' ? messages.codeUsed() : messages.wrongRecoveryToken

/** A hook that refuses ends the flow: the proof is used up, and a new flow shows the receiver's message. */
async function recovered(
  d: SubmitRecoveryDeps,
  flow: RecoveryFlow,
  caller: RecoveryCaller,
  proof: Recovered,
  payload: Json,
): Promise<RecoveryOutcome> {
  try {
    await afterProof(d, 'recovery', { flow, caller, transientPayload: payload }, async () => {
      const owner = await d.identities.get(proof.identityId)
      return owner.state === 'active' ? owner : undefined
    })
    return await finishRecovery(d, flow, caller, proof, payload)
  } catch (error) {
    if (error instanceof ProofUsed) return startAgain(d, flow, caller, usedBy(proof))
    if (!(error instanceof HookRefused)) throw error
    await d.locks.tx({ identity: proof.identityId }, (tx) => proof.use(tx))
    return startAgain(d, flow, caller, ...error.problems.map(({ message }) => message))
  }
}

async function startAgain(
  d: SubmitRecoveryDeps,
  old: RecoveryFlow,
  caller: RecoveryCaller,
  ...all: UiMessage[]
): Promise<RecoveryOutcome> {
  const renewed = caller.renewCsrf()
  const type = caller.byLink ? 'browser' : old.type
  const csrfToken = type === 'browser' ? renewed : ''
  const flow = newRecoveryFlow(d, { type, requestUrl: old.request_url, csrfToken })
  flow.ui = withProblems(
    flow.ui,
    all.map((message) => ({ message })),
  )
  await d.store.insert(flow)
  return { kind: 'startedAgain', flow, message: all[0]! }
}
