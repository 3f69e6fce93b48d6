import type { Json } from '../../identities/types.ts'
import { isInput, type UiNode } from '../types.ts'

/** How the form of one kind of flow is sorted. */
export interface NodeOrder {
  groups: readonly string[]
  /** beginnings of names; inputs without one come after them, by value */
  names: readonly string[]
}

/**
 * The order of Kratos, which user interfaces rely on: by group, one that is not listed first; within a group by name,
 * buttons named `method` last. Groups `default` and `password` are one group where they stand side by side.
 */
export function sortNodes(nodes: readonly UiNode[], order: NodeOrder): UiNode[] {
  const groupOf = (node: UiNode) => order.groups.indexOf(node.group)
  const sorted: UiNode[] = []
  for (const node of nodes.toSorted((a, b) => groupOf(a) - groupOf(b))) {
    let at = sorted.length
    while (at > 0 && comesFirst(node, sorted[at - 1]!, order.names)) at -= 1
    sorted.splice(at, 0, node)
  }
  return sorted
}

const MIXED = ['default', 'password']

function comesFirst(a: UiNode, b: UiNode, names: readonly string[]): boolean {
  if (a.group !== b.group && !(MIXED.includes(a.group) && MIXED.includes(b.group))) return false
  const [of, than] = [position(a, names), position(b, names)]
  return of === than ? valueText(a) < valueText(b) : of < than
}

function position(node: UiNode, names: readonly string[]): number {
  const name = nameOf(node)
  if (name === 'method') return names.length + 1
  const at = names.findIndex((beginning) => name.startsWith(beginning))
  return at === -1 ? names.length : at
}

export const nameOf = (node: UiNode): string => (isInput(node) ? node.attributes.name : node.attributes.id)

/** As Go prints it: one that is absent stands before letters. */
function valueText(node: UiNode): string {
  if (isInput(node)) return text(node.attributes.value)
  const { text: shown, src, href } = node.attributes
  return typeof shown === 'object' ? text((shown as { text?: Json })?.text) : text(shown ?? src ?? href)
}

const text = (value: Json | undefined): string => (value === undefined || value === null ? '<nil>' : String(value))
