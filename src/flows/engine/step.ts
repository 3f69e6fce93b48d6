import type { Json, JsonObject } from '../../identities/types.ts'
import type { Db, Queryable } from '../../kernel/db/client.ts'
import type { HttpError } from '../../kernel/http/errors.ts'
import type { ShownAgain } from '../attempt.ts'
import { cleared, withProblems } from '../nodes.ts'
import type { Flow, FlowProgress, FlowState, FormProblem, Ui, UiMessage, UiNode } from '../types.ts'
import type { Write } from './compose.ts'

/** The flow goes on with another form. What is not named stays as it is. */
export interface NextForm {
  kind: 'form'
  /** all of them, in order, with the anti-CSRF token */
  nodes?: readonly UiNode[]
  /** of the form as a whole; those of earlier steps go */
  messages?: readonly UiMessage[]
  /** put at their inputs, after `nodes` and `messages` */
  problems?: readonly FormProblem[]
  state?: FlowState
  active?: string
  /** all of it: begin with `flow.context` to keep what other methods have there */
  context?: JsonObject
  /** runs in the transaction that stores the form */
  write?: Write
  /** a script is told to open the page, as if it could not show the form itself */
  asLocation?: true
}

/** The browser goes elsewhere first, e.g. to a provider, and comes back by a route of the method. */
export interface Redirect {
  kind: 'redirect'
  to: string
  /** noted as the method of the flow */
  active?: string
  /** what the browser comes back with, by the name of the work */
  comeBack?: { name: string; id: string }
  /** it could not be asked: answered instead. Kratos gives out the cookie all the same */
  failed?: HttpError
}

/** The form is for a flow of the other kind: who it names is not here yet, or is here already. */
export interface OtherKind {
  kind: 'otherKind'
}

/** What is not proved yet. */
export type Next = NextForm | Redirect

interface SaveDeps {
  db: Pick<Db, 'tx'>
  store: { save(flow: FlowProgress, on?: Queryable): Promise<void> }
}

/** Stores the flow as a step leaves it. @param payload as it was sent: Kratos answers a step with an empty one at least */
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

/** Notes that the browser is away. */
export async function leave<F extends Flow>(d: SaveDeps, flow: F, { active, ...redirect }: Redirect) {
  const left = active === undefined ? flow : { ...flow, active_method: active }
  if (left !== flow) await d.store.save(left)
  return { ...redirect, flow: left }
}

/** One statement where there is nothing else to write. */
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
