import type { Json } from '../../identities/types.ts'
import { isInput, type UiNode } from '../types.ts'

/** How the form of one kind of flow is sorted. */
export interface NodeOrder {
  groups: readonly string[]
  /** prefixes of names, in order; inputs without one come after them, by value */
  names: readonly string[]
}

/**
 * The order of Kratos, which user interfaces rely on: by group, unlisted groups first; within a group by name,
 * buttons named `method` last. Groups `default` and `password` count as one group where they are adjacent.
 */
export function sortNodes(nodes: readonly UiNode[], order: NodeOrder): UiNode[] {
  const groupOf = (node: UiNode) => order.groups.indexOf(node.group)
  const placed = nodes
    .toSorted((a, b) => groupOf(a) - groupOf(b))
    .map((node) => ({ node, position: positionOf(nameOf(node), order.names), value: valueText(node) }))
  const sorted: Placed[] = []
  for (const one of placed) {
    let at = sorted.length
    while (at > 0 && comesFirst(one, sorted[at - 1]!)) at -= 1
    sorted.splice(at, 0, one)
  }
  return sorted.map(({ node }) => node)
}

interface Placed {
  node: UiNode
  position: number
  value: string
}

const MIXED = ['default', 'password']

function comesFirst(a: Placed, b: Placed): boolean {
  const [group, other] = [a.node.group, b.node.group]
  if (group !== other && !(MIXED.includes(group) && MIXED.includes(other))) return false
  return a.position === b.position ? a.value < b.value : a.position < b.position
}

function positionOf(name: string, names: readonly string[]): number {
  if (name === 'method') return names.length + 1
  const at = names.findIndex((beginning) => name.startsWith(beginning))
  return at === -1 ? names.length : at
}

export const nameOf = (node: UiNode): string => (isInput(node) ? node.attributes.name : node.attributes.id)

/** As Go prints it: an absent value sorts before letters. */
function valueText(node: UiNode): string {
  if (isInput(node)) return text(node.attributes.value)
  const { text: shown, src, href } = node.attributes
  return typeof shown === 'object' ? text((shown as { text?: Json })?.text) : text(shown ?? src ?? href)
}

const text = (value: Json | undefined): string => (value === undefined || value === null ? '<nil>' : String(value))
