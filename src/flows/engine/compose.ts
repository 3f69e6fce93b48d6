import type { JsonObject } from '../../identities/types.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import { csrfNode } from '../nodes.ts'
import { type FlowState, isInput, type Ui, type UiMessage, type UiNode } from '../types.ts'
import { type NodeOrder, nameOf, sortNodes } from './order.ts'

/** Writes in the transaction that stores the flow. */
export type Write = (tx: Queryable) => Promise<void>

/** The part of one method in a form that is begun, or shown again. */
export interface FormPart {
  /** Several methods may return the same input, such as `identifier`: it is shown once, with the attributes of both. */
  nodes: readonly UiNode[]
  messages?: readonly UiMessage[]
  /** stored with the flow for later steps, beside that of other methods */
  context?: JsonObject
  /** if the method has made a step already, e.g. has sent a code: the form has its `nodes` alone, in their order */
  state?: FlowState
  active?: string
  write?: Write
}

export const NO_PART: FormPart = { nodes: [] }

/** A form, and the flow's state and context that go with it. */
export interface Composed {
  ui: Ui
  context: JsonObject
  state?: FlowState
  active?: string
  writes: Write[]
}

/** Joins the parts of the methods to one form. */
export function composeForm(
  { action, csrfToken, order }: { action: string; csrfToken: string; order: NodeOrder },
  parts: readonly FormPart[],
): Composed {
  const ahead = parts.find((part) => part.state !== undefined)
  if (ahead) return aheadForm(action, csrfToken, ahead)
  const nodes = merged([csrfNode(csrfToken), ...parts.flatMap((part) => part.nodes)])
  const messages = parts.flatMap((part) => part.messages ?? [])
  return {
    ui: { action, method: 'POST', nodes: sortNodes(nodes, order), ...(messages.length === 0 ? {} : { messages }) },
    context: Object.assign({}, ...parts.map((part) => part.context)),
    writes: parts.flatMap(({ write }) => write ?? []),
  }
}

function aheadForm(action: string, csrfToken: string, part: FormPart): Composed {
  const { messages = [], context = {}, state, active, write } = part
  return {
    ui: { action, method: 'POST', nodes: aheadNodes(part, csrfToken), messages: [...messages] },
    context,
    ...(state === undefined ? {} : { state }),
    ...(active === undefined ? {} : { active }),
    writes: write ? [write] : [],
  }
}

/** @param csrfToken empty in native flows: this form has no input for it, as with Kratos */
export const aheadNodes = ({ nodes }: FormPart, csrfToken: string): UiNode[] =>
  csrfToken === '' ? [...nodes] : [...nodes, csrfNode(csrfToken)]

/** Inputs of one name become one; buttons are never merged. */
function merged(nodes: readonly UiNode[]): UiNode[] {
  const all: UiNode[] = []
  for (const node of nodes) {
    const at = all.findIndex((other) => isSame(node, other))
    const other = all[at]
    if (other && isInput(other) && isInput(node)) {
      const meta = { ...other.meta, ...node.meta }
      all[at] = { ...other, attributes: { ...other.attributes, ...node.attributes }, meta }
    } else if (!other) all.push(node)
  }
  return all
}

const isSame = (a: UiNode, b: UiNode) =>
  a.group === b.group && a.type === b.type && nameOf(a) === nameOf(b) && !isButton(a)
const isButton = (node: UiNode) => isInput(node) && ['submit', 'button'].includes(node.attributes.type)
