import type { Json, JsonObject } from '../../identities/types.ts'
import type { Db, Queryable } from '../../kernel/db/client.ts'
import type { HttpError } from '../../kernel/http/errors.ts'
import type { ShownAgain } from '../attempt.ts'
import { cleared, withProblems } from '../nodes.ts'
import type { Expired, Flow, FlowProgress, FlowState, FormProblem, Ui, UiMessage, UiNode } from '../types.ts'
import type { Write } from './compose.ts'

/** The flow continues with another form. Absent members keep what they were. */
export interface NextForm {
  kind: 'form'
  /** all of them, in order, with the anti-CSRF token */
  nodes?: readonly UiNode[]
  /** of the form as a whole; those of earlier steps are dropped */
  messages?: readonly UiMessage[]
  /** shown at their inputs, after `nodes` and `messages` */
  problems?: readonly FormProblem[]
  state?: FlowState
  active?: string
  /** the whole context: begin with `flow.context` to keep that of other methods */
  context?: JsonObject
  /** runs in the transaction that stores the form */
  write?: Write
  /** tells a script to open the page, as if it could not show the form itself */
  asLocation?: true
}

/** The browser goes elsewhere first, e.g. to a provider, and returns by a route of the method. */
export interface Redirect {
  kind: 'redirect'
  to: string
  /** stored as the method of the flow */
  active?: string
  /** the continuity container that it returns with, by the name of the work; `beside`: earlier work of the name goes on */
  comeBack?: { name: string; id: string; beside?: boolean }
  /** the provider could not be reached: this is the answer. Kratos sets the cookie all the same */
  failed?: HttpError
}

/** The form belongs to a flow of the other kind: its identity does not exist yet, or exists already. */
export interface OtherKind {
  kind: 'otherKind'
}

/** The code that was sent has expired: a fresh flow takes the place of this one. */
export interface GivenUp {
  kind: 'givenUp'
  expired: Expired
}

/** A step that proves nothing yet. */
export type Next = NextForm | Redirect

interface SaveDeps {
  db: Pick<Db, 'tx'>
  store: { save(flow: FlowProgress, on?: Queryable): Promise<void> }
}

/** Stores the flow after a step. @param payload as it was sent: Kratos answers a step with an empty one at least */
export async function showNext<F extends Flow>(
  d: SaveDeps,
  flow: F,
  next: NextForm,
  payload: Json | undefined,
): Promise<ShownAgain<F>> {
  const shown = stepped(flow, next)
  await saveFlow(d, shown, next.write ? [next.write] : [])
  return {
    kind: 'form',
    flow: shown,
    transientPayload: payload ?? {},
    ...(next.asLocation ? { asLocation: true } : {}),
  }
}

/** Stores that the browser has left for another server. */
export async function leave<F extends Flow>(d: SaveDeps, flow: F, { active, ...redirect }: Redirect) {
  const left = active === undefined ? flow : { ...flow, active_method: active }
  if (left !== flow) await d.store.save(left)
  return { ...redirect, flow: left }
}

/** One statement if there is nothing else to write. */
export async function saveFlow(d: SaveDeps, flow: FlowProgress, writes: readonly Write[]): Promise<void> {
  if (writes.length === 0) return d.store.save(flow)
  await d.db.tx(async (tx) => {
    await d.store.save(flow, tx)
    for (const write of writes) await write(tx)
  })
}

function stepped<F extends Flow>(flow: F, next: NextForm): F {
  const { messages = [] } = next
  const { action, method } = flow.ui
  const nodes = next.nodes ?? cleared(flow.ui, new Map()).nodes
  const ui: Ui = { action, method, nodes: [...nodes], ...(messages.length === 0 ? {} : { messages: [...messages] }) }
  return {
    ...flow,
    ui: withProblems(ui, next.problems ?? []),
    state: next.state ?? flow.state,
    active_method: next.active ?? flow.active_method,
    context: next.context ?? flow.context,
  }
}
