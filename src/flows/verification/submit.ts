import { asciiAddress } from '../../identities/domains.ts'
import { trimSpace } from '../../identities/normalise.ts'
import { FORMATS } from '../../identities/schema/formats.ts'
import type { IdentityService } from '../../identities/service.ts'
import type { IdentityLocks } from '../../identities/store-locks.ts'
import type { Identity, Json } from '../../identities/types.ts'
import type { Db } from '../../kernel/db/client.ts'
import { currentCsrfToken, type Failed, failed, findSubmitted, problemsOf, type ShownAgain } from '../attempt.ts'
import { expiryOf } from '../begin.ts'
import { checkOrigin, fieldText, proofForm, transientPayload } from '../form.ts'
import { afterProof, type ProvedDeps } from '../hooks/proved.ts'
import { messages } from '../messages.ts'
import { cleared, csrfNode, inputNode, withProblems } from '../nodes.ts'
import { ProofUsed } from '../proof/proof.ts'
import { refused } from '../refused.ts'
import type { Replaced } from '../replace.ts'
import type { Caller, Expired, SubmittedForm, Ui, UiMessage, UiNode } from '../types.ts'
import { type BeginVerificationDeps, newVerificationFlow } from './begin.ts'
import { finishedScreen, type GoOnDeps, goOnTo } from './finish.ts'
import type { Followed, Verified } from './method.ts'
import type { VerificationFlow } from './types.ts'

export type SubmitVerificationDeps = BeginVerificationDeps &
  GoOnDeps &
  ProvedDeps & {
    identities: Pick<IdentityService, 'get'>
    db: Pick<Db, 'tx'>
    locks: Pick<IdentityLocks, 'tx'>
  }

/** The caller, with the members that only verification needs. */
export interface VerificationCaller extends Caller {
  /** a person opened a link: there is no form */
  opensLink: boolean
  /** the token of the link; empty: none */
  token: string
  code: string
  /** Sets another anti-CSRF cookie. @returns a token for it */
  renewCsrf(): string
}

export type VerificationOutcome =
  /** a new flow says that the old one, or its code, has expired */
  | { kind: 'flowExpired'; flow: VerificationFlow }
  | Replaced<VerificationFlow>
  /** a new flow says why the old one cannot be used; `finished`: it was completed */
  | { kind: 'startedAgain'; flow: VerificationFlow; finished: boolean }
  /** the next screen, or the same one after a wrong code. `to`: where to send a browser instead */
  | { kind: 'screen'; flow: VerificationFlow; transientPayload: Json | undefined; to?: string | undefined }
  | ShownAgain<VerificationFlow>
  | Failed

/** @throws 400 without a flow id, 404, 403 */
export async function submitVerification(
  d: SubmitVerificationDeps,
  flowId: string,
  caller: VerificationCaller,
): Promise<VerificationOutcome> {
  const flow = await findSubmitted(d.store, flowId, 'verification')
  const progress: Progress = { active: flow.active_method, values: new Map() }
  try {
    return await step(d, flow, caller, progress)
  } catch (error) {
    const problems = problemsOf(error)
    if (!problems) return failed(flow, error)
    const shown = { ...flow, ui: withProblems(formAgain(flow, progress), problems) }
    const kept = { ...shown, active_method: progress.active }
    await d.store.saveScreen(kept)
    return { kind: 'form', flow: kept, transientPayload: undefined }
  }
}

/** The progress of a submit, in case the form has to be shown again. */
interface Progress {
  active: string
  values: Map<string, Json>
}

/**
 * After the message was sent the form still says so, and asks for the address in place of the button that sends it again, as
 * in Kratos.
 */
function formAgain({ ui, state }: VerificationFlow, { values }: Progress): Ui {
  const form = withToken(ui, values)
  if (state !== 'sent_email') return form
  const told = (ui.messages ?? []).filter(({ type }) => type === 'info')
  return {
    ...form,
    nodes: values.has('csrf_token') ? form.nodes.map(askingAgain(values)) : form.nodes,
    ...(told.length === 0 ? {} : { messages: told }),
  }
}

/** As in Kratos: with the input of the token also in an app, once a form was sent. */
function withToken(ui: Ui, values: ReadonlyMap<string, Json>): Ui {
  const form = cleared(ui, values)
  const token = values.get('csrf_token')
  if (token === undefined || form.nodes.some(({ attributes }) => attributes.name === 'csrf_token')) return form
  return { ...form, nodes: [...form.nodes, csrfNode(String(token))] }
}

const askingAgain =
  (values: ReadonlyMap<string, Json>) =>
  (node: UiNode): UiNode =>
    node.group === 'code' && node.attributes.name === 'email'
      ? inputNode('code', 'email', 'email', {
          value: values.get('email') ?? '',
          required: true,
          label: messages.email,
        })
      : node

async function step(
  d: SubmitVerificationDeps,
  flow: VerificationFlow,
  caller: VerificationCaller,
  progress: Progress,
): Promise<VerificationOutcome> {
  const expired = expiryOf(flow, d.clock.now())
  if (expired) return flowExpired(d, flow, caller, expired)
  if (flow.state === 'passed_challenge' && caller.token === '')
    return startAgain(d, flow, caller, messages.verifiedAlready)
  if (caller.opensLink || caller.token !== '') return openLink(d, flow, caller, progress)
  const form = await proofForm(flow, caller)
  assertWellFormed(form)
  progress.values.set('email', trimSpace(fieldText(form, 'email')))
  progress.values.set('csrf_token', currentCsrfToken(flow, caller))
  const found = methodOf(d, form, flow)
  progress.active = found?.method.id ?? 'default'
  if (!found) throw refused(messages.noVerificationMethod)
  const { method, purpose } = found
  // A right code is proof enough, wherever it comes from.
  if (purpose === 'ask') checkOrigin(flow, caller, form)
  const payload = transientPayload(form)
  const csrfToken = currentCsrfToken(flow, caller)
  const { network } = caller.facts()
  const next = await method[purpose]({ flow, form, csrfToken, transientPayload: payload, network })
  // Kratos returns the payload only after a wrong code.
  const told = purpose === 'prove' && next.kind === 'screen' ? (payload ?? {}) : undefined
  return proceed(d, { ...flow, active_method: method.id }, caller, next, { payload: told, csrfToken })
}

/** @throws FormRefused for an unknown method or an invalid address */
function assertWellFormed(form: SubmittedForm): void {
  const email = asciiAddress(trimSpace(fieldText(form, 'email')))
  if (email !== '' && !FORMATS.get('email')!(email)) throw refused(messages.wrongEmail(email), 'email')
  const method = fieldText(form, 'method')
  if (method !== '' && method !== 'code' && method !== 'link') {
    throw refused(messages.generic('value must be one of "code", "link"'), 'method')
  }
}

function methodOf(d: SubmitVerificationDeps, form: SubmittedForm, flow: VerificationFlow) {
  for (const method of d.methods) {
    const purpose = method.reads(form, flow)
    if (purpose) return { method, purpose }
  }
  return undefined
}

/** The link of a message: the flow continues in the browser in which it is opened. */
async function openLink(
  d: SubmitVerificationDeps,
  flow: VerificationFlow,
  caller: VerificationCaller,
  progress: Progress,
): Promise<VerificationOutcome> {
  if (flow.state === 'choose_method') progress.values.set('email', '')
  progress.values.set('csrf_token', currentCsrfToken(flow, caller))
  for (const method of d.methods) {
    const { code, token } = caller
    const found = await method.follow(flow, { code, token, csrfToken: '' })
    if (!found) continue
    const csrfToken = handOver(flow, caller, found)
    return proceed(d, { ...flow, active_method: method.id }, caller, found, {
      payload: undefined,
      csrfToken,
      handsOver: true,
    })
  }
  progress.active = 'default'
  throw refused(messages.noVerificationMethod)
}

/** Binds the flow to this browser. @returns its token; empty for an app's flow */
function handOver({ type }: VerificationFlow, caller: VerificationCaller, { kind }: Followed): string {
  return kind === 'screen' || (kind === 'verified' && type === 'browser') ? caller.renewCsrf() : ''
}

interface Going {
  payload: Json | undefined
  csrfToken: string
  /** the flow is bound to this browser from now on */
  handsOver?: boolean
}

async function proceed(
  d: SubmitVerificationDeps,
  flow: VerificationFlow,
  caller: VerificationCaller,
  next: Followed,
  { payload, csrfToken, handsOver = false }: Going,
): Promise<VerificationOutcome> {
  if (next.kind === 'startAgain') return startAgain(d, flow, caller, next.message)
  if (next.kind === 'expired') return codeExpired(d, flow, caller, next.expired)
  if (next.kind === 'verified') return verify(d, flow, caller, next, { payload, csrfToken })
  const { action, method } = flow.ui
  const { nodes } = withToken({ ...flow.ui, nodes: next.nodes }, new Map(handsOver ? [['csrf_token', csrfToken]] : []))
  const ui = { action, method, nodes, ...(next.messages.length === 0 ? {} : { messages: next.messages }) }
  const shown = {
    ...flow,
    ui,
    state: next.state,
    ...(handsOver && flow.type === 'browser' ? { csrf_token: csrfToken } : {}),
  }
  await d.db.tx(async (tx) => {
    await d.store.saveScreen(shown, tx)
    await next.write?.(tx)
  })
  return { kind: 'screen', flow: shown, transientPayload: payload }
}

async function verify(
  d: SubmitVerificationDeps,
  flow: VerificationFlow,
  caller: VerificationCaller,
  proof: Verified,
  { payload, csrfToken }: Going,
): Promise<VerificationOutcome> {
  await afterProof(d, 'verification', { flow, caller, transientPayload: payload }, async () =>
    verifiedIn(await d.identities.get(proof.identityId), proof),
  )
  const ui = finishedScreen(d, flow, csrfToken)
  const done: VerificationFlow = { ...flow, state: 'passed_challenge', csrf_token: csrfToken, ui }
  try {
    await d.locks.tx({ identity: proof.identityId }, async (tx) => {
      await d.store.saveScreen(done, tx)
      await proof.use(tx)
    })
  } catch (error) {
    if (error instanceof ProofUsed) return startAgain(d, flow, caller, messages.verifiedAlready)
    throw error
  }
  const onward = await goOnTo(d, done, caller)
  return { kind: 'screen', flow: done, transientPayload: payload, ...onward }
}

/** For hooks, which run before it is stored. */
function verifiedIn(identity: Identity, { address: { via, value } }: Verified): Identity {
  const verifiable_addresses = identity.verifiable_addresses.map((address) =>
    address.via === via && address.value === value ? { ...address, verified: true, status: 'completed' } : address,
  )
  return { ...identity, verifiable_addresses }
}

async function startAgain(
  d: SubmitVerificationDeps,
  old: VerificationFlow,
  caller: VerificationCaller,
  message: UiMessage,
): Promise<VerificationOutcome> {
  const flow = await freshFlow(d, old, caller, old.type, message)
  return { kind: 'startedAgain', flow, finished: message === messages.verifiedAlready }
}

async function flowExpired(
  d: SubmitVerificationDeps,
  old: VerificationFlow,
  caller: VerificationCaller,
  expired: Expired,
): Promise<VerificationOutcome> {
  // The new one belongs to the browser that opened the link, whichever client began the old one.
  const flow = await freshFlow(d, old, caller, 'browser', messages.expired('verification', expired))
  return { kind: 'flowExpired', flow }
}

async function codeExpired(
  d: SubmitVerificationDeps,
  old: VerificationFlow,
  caller: VerificationCaller,
  expired: Expired,
): Promise<VerificationOutcome> {
  const flow = await freshFlow(d, old, caller, old.type, messages.expired('verification', expired))
  return { kind: 'replaced', flow, expired }
}

async function freshFlow(
  d: SubmitVerificationDeps,
  old: VerificationFlow,
  caller: VerificationCaller,
  type: VerificationFlow['type'],
  message: UiMessage,
): Promise<VerificationFlow> {
  const renewed = caller.renewCsrf()
  const csrfToken = type === 'browser' ? renewed : ''
  const flow = newVerificationFlow(d, { type, requestUrl: old.request_url, csrfToken })
  flow.ui = withProblems(flow.ui, [{ message }])
  await d.store.insert(flow)
  return flow
}
