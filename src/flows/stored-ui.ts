import { isObject } from '../identities/types.ts'
import type { Ui, UiMessage, UiNode } from './types.ts'

/**
 * The form of a row, which another program may have written: it may omit empty lists, and what is no node or message is
 * left out, since a form without it can still be answered.
 */
export function readUi(stored: unknown): Ui {
  const { action, method, nodes, messages } = objectOf(stored)
  const own = messagesOf(messages)
  return {
    action: typeof action === 'string' ? action : '',
    method: method === 'GET' ? 'GET' : 'POST',
    nodes: listOf(nodes).flatMap(nodeOf),
    ...(own.length === 0 ? {} : { messages: own }),
  }
}

const objectOf = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {})
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function nodeOf(value: unknown): UiNode[] {
  const node = objectOf(value)
  const { attributes } = node
  if (!isObject(attributes) || typeof node.group !== 'string') return []
  // what nodes are found and sorted by
  const name = attributes.node_type === 'input' ? attributes.name : attributes.id
  if (typeof name !== 'string') return []
  const meta = objectOf(node.meta)
  const kept = 'label' in meta && !isMessage(meta.label) ? {} : meta
  return [{ ...node, attributes, messages: messagesOf(node.messages), meta: kept } as unknown as UiNode]
}

const messagesOf = (value: unknown): UiMessage[] => listOf(value).filter(isMessage)

const isMessage = (value: unknown): value is UiMessage => isObject(value) && typeof value.text === 'string'
