import type { Json, JsonObject } from '../identities/types.ts'
import { isUuid, NO_UUID } from '../kernel/base/uuid.ts'
import type { Queryable } from '../kernel/db/client.ts'
import { HttpError, notFound, notLocated } from '../kernel/http/errors.ts'
import { type NodeOrder, nameOf, sortNodes } from './engine/order.ts'
import { flowIdMissing } from './errors.ts'
import { checkOrigin, transientPayload } from './form.ts'
import type { FlowKind } from './kinds.ts'
import { messages } from './messages.ts'
import { cleared, csrfNode, withProblems } from './nodes.ts'
import { FormRefused } from './refused.ts'
import type { Caller, Flow, FlowProgress, FormProblem, SubmittedForm, Ui, UiNode } from './types.ts'

export interface ShownAgain<F> {
  kind: 'form'
  flow: F
  transientPayload: Json | undefined
  /** tells a script to open the page, as if it could not show the form itself */
  asLocation?: true
  /** added to the address of the page */
  pageQuery?: Record<string, string>
}

/** An error of a native flow: it becomes the answer, where a browser would be sent to the error page. */
export interface Failed {
  kind: 'failed'
  error: HttpError
}

/** A submitted form, and the method that takes it. */
export interface Taken<M> {
  form: SubmittedForm
  method: M
  /** the values of inputs if the form has to be shown again, by name; undefined: no value, not even an empty one */
  kept: ReadonlyMap<string, Json | undefined>
  /** a native form may bring cookies */
  keepsCookies?: true | undefined
}

/** What is known of a submit when it is refused. */
interface FormState {
  /** set once a method takes the form: from then on the answer carries a new anti-CSRF token */
  kept?: ReadonlyMap<string, Json | undefined>
  transientPayload?: JsonObject | undefined
}

/**
 * A submit, in the order of its checks: a method takes the form, it comes from the browser that began the flow, it is well
 * formed, and then the method handles it. A refusal with a message, or a 400, is written into the
 * form.
 * @throws every other error, unless the flow is native
 */
export async function attempt<F extends Flow, M extends Taken<unknown>, T>(
  d: { store: { save(flow: FlowProgress, on?: Queryable): Promise<void> } },
  { flow, caller, order }: { flow: F; caller: Caller; order?: () => NodeOrder },
  take: () => Promise<M>,
  work: (taken: M, transientPayload: JsonObject | undefined) => Promise<T>,
): Promise<T | ShownAgain<F> | Failed> {
  let state: FormState = {}
  try {
    const taken = await take()
    state = { kept: taken.kept }
    checkOrigin(flow, caller, taken.form, taken.keepsCookies)
    state = { ...state, transientPayload: transientPayload(taken.form) }
    return await work(taken, state.transientPayload)
  } catch (error) {
    const problems = problemsOf(error)
    if (!problems) return failed(flow, error)
    const csrfToken = currentCsrfToken(flow, caller)
    const ui = withProblems(cleared(flow.ui, valuesOf(state, csrfToken)), problems)
    const shown = { ...flow, ui: order ? { ...ui, nodes: sortNodes(nodesOf(ui, state, csrfToken), order()) } : ui }
    await d.store.save(shown)
    return { kind: 'form', flow: shown, transientPayload: state.transientPayload }
  }
}

/** A later step may have appended its nodes, in an app without the token: Kratos sorts a form that it shows again. */
function nodesOf({ nodes }: Ui, { kept }: FormState, csrfToken: string): readonly UiNode[] {
  const whole = kept === undefined || nodes.some((node) => nameOf(node) === 'csrf_token')
  return whole ? nodes : [csrfNode(csrfToken), ...nodes]
}

function valuesOf({ kept }: FormState, csrfToken: string): Map<string, Json | undefined> {
  if (!kept) return new Map()
  return new Map([...[...kept].filter(isKept), ['csrf_token', csrfToken]])
}

/** Longer texts are not kept for the next try: the form is stored at every try, and the client chooses their length. */
const MAX_KEPT = 8192
const isKept = ([, value]: [string, Json | undefined]) => typeof value !== 'string' || value.length <= MAX_KEPT

/** The messages of an error for the form; undefined if it becomes the answer. */
export function problemsOf(error: unknown): readonly FormProblem[] | undefined {
  if (error instanceof FormRefused) return error.problems
  if (!(error instanceof HttpError) || error.status !== 400 || error.shownStatus !== 400) return undefined
  return [{ message: messages.generic(error.reason ?? error.message) }]
}

/** @throws the error, unless the flow is native */
export function failed(flow: Flow, error: unknown): Failed {
  if (flow.type === 'api' && error instanceof HttpError) return { kind: 'failed', error }
  throw error
}

/** A token for the cookie of this request, which may have changed since the flow began. */
export function currentCsrfToken(flow: Pick<Flow, 'type' | 'csrf_token'>, caller: Caller): string {
  return flow.type === 'browser' ? caller.csrfToken() || flow.csrf_token : ''
}

/**
 * @param kind for those kinds whose unknown flows are told by name
 * @throws 400 for an invalid id or that of nothing, 404 for an unknown one
 */
export async function findSubmitted<F>(
  store: { find(id: string): Promise<F | undefined> },
  id: string,
  kind?: FlowKind,
): Promise<F> {
  if (!isUuid(id) || id === NO_UUID) throw flowIdMissing()
  const flow = await store.find(id)
  if (flow) return flow
  throw kind ? notFound(`The ${kind} request could not be found. Please restart the flow.`) : notLocated()
}

/** @throws 404 for an unknown or invalid id */
export async function findFlow<F>(store: { find(id: string): Promise<F | undefined> }, id: string): Promise<F> {
  const flow = isUuid(id) ? await store.find(id) : undefined
  if (!flow) throw notLocated()
  return flow
}
