import type { Json } from '../identities/types.ts'
import type { Queryable } from '../kernel/db/client.ts'
import { HttpError, notLocated } from '../kernel/http/errors.ts'
import { isUuid } from '../kernel/http/query.ts'
import { flowIdMissing } from './errors.ts'
import { messages } from './messages.ts'
import { cleared, withProblems } from './nodes.ts'
import type { Caller, Flow, FormProblem, Ui, UiMessage } from './types.ts'

/** The form is to be shown again, with these messages. */
export class FormRefused extends Error {
  override readonly name = 'FormRefused'
  readonly problems: readonly FormProblem[]
  constructor(problems: readonly FormProblem[]) {
    super(problems.map(({ message }) => message.text).join(' '))
    this.problems = problems
  }
}

export const refused = (message: UiMessage, path?: string) =>
  new FormRefused([path === undefined ? { message } : { path, message }])

/** What a submit has told so far; the form keeps it if it has to be shown again. */
export interface Told {
  /** a method took the form: from here on the answer carries a new anti-CSRF token */
  taken: boolean
  /** by name of the input */
  values: Map<string, Json>
  transientPayload: Json | undefined
}

export interface ShownAgain<F> {
  kind: 'form'
  flow: F
  transientPayload: Json | undefined
}

/** An error of a native flow: answered as it is, where a browser would be sent to the error page. */
export interface Failed {
  kind: 'failed'
  error: HttpError
}

/**
 * Runs the steps of a submit. Whatever they refuse with a message, or with a 400, is written into the form.
 * @throws every other error, unless the flow is native
 */
export async function attempt<F extends Flow, T>(
  d: { store: { saveUi(id: string, ui: Ui, on?: Queryable): Promise<void> } },
  flow: F,
  caller: Caller,
  steps: (told: Told) => Promise<T>,
): Promise<T | ShownAgain<F> | Failed> {
  const told: Told = { taken: false, values: new Map(), transientPayload: undefined }
  try {
    return await steps(told)
  } catch (error) {
    const problems = problemsOf(error)
    if (!problems) return failed(flow, error)
    const values = new Map([...told.values].filter(isKept))
    if (told.taken) values.set('csrf_token', currentCsrfToken(flow, caller))
    const ui = withProblems(cleared(flow.ui, values), problems)
    await d.store.saveUi(flow.id, ui)
    return { kind: 'form', flow: { ...flow, ui }, transientPayload: told.transientPayload }
  }
}

/** Longer texts are not kept for the next try: a form is stored at every try, whoever sends it. */
const MAX_KEPT = 8192
const isKept = ([, value]: [string, Json]) => typeof value !== 'string' || value.length <= MAX_KEPT

function problemsOf(error: unknown): readonly FormProblem[] | undefined {
  if (error instanceof FormRefused) return error.problems
  if (!(error instanceof HttpError) || error.status !== 400) return undefined
  return [{ message: messages.generic(error.reason ?? error.message) }]
}

function failed(flow: Flow, error: unknown): Failed {
  if (flow.type === 'api' && error instanceof HttpError) return { kind: 'failed', error }
  throw error
}

/** A token that fits the cookie of this request, which may be another than at the start. */
export function currentCsrfToken(flow: Pick<Flow, 'type' | 'csrf_token'>, caller: Caller): string {
  return flow.type === 'browser' ? caller.csrfToken() || flow.csrf_token : ''
}

/** @throws 400 for an id that is none, 404 for one that is unknown */
export async function findSubmitted<F>(store: { find(id: string): Promise<F | undefined> }, id: string): Promise<F> {
  if (!isUuid(id)) throw flowIdMissing()
  return findFlow(store, id)
}

/** @throws 404 for an id that is unknown or none */
export async function findFlow<F>(store: { find(id: string): Promise<F | undefined> }, id: string): Promise<F> {
  const flow = isUuid(id) ? await store.find(id) : undefined
  if (!flow) throw notLocated()
  return flow
}
