import type { Json, TraitInput } from '../identities/types.ts'
import { messages } from './messages.ts'
import {
  type FormProblem,
  type InputAttributes,
  type InputNode,
  isInput,
  type ShownNode,
  type Ui,
  type UiMessage,
  type UiNode,
} from './types.ts'

type InputOptions = Partial<Omit<InputAttributes, 'name' | 'type' | 'disabled' | 'node_type'>> & {
  label?: UiMessage | undefined
}

/** One input of a form. Empty members are left out, as clients of Kratos expect. */
export function inputNode(group: string, name: string, type: string, options: InputOptions = {}): InputNode {
  const { label, value, required, autocomplete, pattern, ...more } = options
  return {
    type: 'input',
    group,
    attributes: {
      name,
      type,
      ...(value === undefined ? {} : { value }),
      ...(required ? { required } : {}),
      ...(autocomplete === undefined ? {} : { autocomplete }),
      ...(pattern === undefined ? {} : { pattern }),
      ...more,
      disabled: false,
      node_type: 'input',
    },
    messages: [],
    meta: label === undefined ? {} : { label },
  }
}

export const csrfNode = (token: string) =>
  inputNode('default', 'csrf_token', 'hidden', { value: token, required: true })

export const passwordNode = (autocomplete: 'current-password' | 'new-password') =>
  inputNode('password', 'password', 'password', { required: true, autocomplete, label: messages.password })

export const submitNode = (group: string, value: string, label: UiMessage, name = 'method') =>
  inputNode(group, name, 'submit', { value, label })

/** A text node, which is a message with an id. */
export const textNode = (group: string, id: string, text: UiMessage, label: UiMessage): ShownNode => ({
  type: 'text',
  group,
  attributes: { text: { ...text }, id, node_type: 'text' },
  messages: [],
  meta: { label },
})

export const imageNode = (
  group: string,
  id: string,
  image: { src: string; size: number },
  label: UiMessage,
): ShownNode => ({
  type: 'img',
  group,
  attributes: { src: image.src, id, width: image.size, height: image.size, node_type: 'img' },
  messages: [],
  meta: { label },
})

/** @param look.hidden carried along to the next screen, not shown */
export function traitNode(
  input: TraitInput,
  value: Json | undefined,
  look: { group: string; hidden?: boolean },
): InputNode {
  const { name, title, required, autocomplete, pattern } = input
  return inputNode(look.group, name, look.hidden ? 'hidden' : input.type, {
    ...(value === undefined ? {} : { value }),
    required,
    ...(autocomplete === undefined ? {} : { autocomplete }),
    ...(pattern === undefined ? {} : { pattern }),
    label: title === undefined ? undefined : messages.trait(title, name),
  })
}

/** The values of the inputs of a stored form, by name. */
export function nodeValues(nodes: readonly UiNode[]): Map<string, Json> {
  return new Map(
    nodes
      .filter(isInput)
      .flatMap(({ attributes }) =>
        attributes.value === undefined ? [] : ([[attributes.name, attributes.value]] as [string, Json][]),
      ),
  )
}

/** Messages that one submit may leave in a form: it is stored, and sent, at every try. */
const MAX_PROBLEMS = 50

/**
 * Puts each message at its input, or into the form's own list. One about an input that the form does not have gets a
 * bare text input, before the buttons and, if it is about the password, after the first trait.
 */
export function withProblems(ui: Ui, problems: readonly FormProblem[]): Ui {
  const nodes = ui.nodes.map((node) => ({ ...node, messages: [...node.messages] }))
  const own = [...(ui.messages ?? [])]
  const byName = new Map(
    nodes
      .filter(isInput)
      .toReversed()
      .map((node) => [node.attributes.name, node]),
  )
  for (const { path, message } of problems.slice(0, MAX_PROBLEMS)) {
    const node = path === undefined ? undefined : (byName.get(path) ?? added(nodes, path))
    if (node) byName.set(node.attributes.name, node)
    if (node) node.messages.push(message)
    else own.push(message)
  }
  return { action: ui.action, method: ui.method, nodes, ...(own.length === 0 ? {} : { messages: own }) }
}

/**
 * A form has no more inputs than this for messages. A client chooses paths such as `traits.phones.7`, and an input for a trait
 * stays in the form: it would grow with every submit.
 */
const MOST_NODES = 500

function added(nodes: UiNode[], path: string): InputNode | undefined {
  if (nodes.length >= MOST_NODES) return undefined
  const node = inputNode('default', path, 'text')
  const buttons = nodes.findIndex(
    (one) => one.group === 'webauthn' || (isInput(one) && one.attributes.type === 'submit'),
  )
  const end = buttons === -1 ? nodes.length : buttons
  const firstTrait = nodes.findIndex(isTrait)
  // The last key of the other kind: Kratos sorts the form again, and this name comes first.
  const first = path === 'webauthn_remove'
  nodes.splice(first ? 0 : path === 'password' && firstTrait !== -1 ? firstTrait + 1 : end, 0, node)
  return node
}

/** The form as it was begun: without messages, without inputs that were added for one, with the given `values`. */
export function cleared(ui: Ui, values: ReadonlyMap<string, Json | undefined>): Ui {
  const nodes = ui.nodes
    .filter((node) => !carriesMessageOnly(node))
    .map((node): UiNode => {
      if (!isInput(node)) return { ...node, messages: [] }
      if (!values.has(node.attributes.name)) return { ...node, messages: [] }
      const value = values.get(node.attributes.name)
      const { value: _, ...attributes } = node.attributes
      return { ...node, attributes: { ...attributes, ...(value === undefined ? {} : { value }) }, messages: [] }
    })
  return { action: ui.action, method: ui.method, nodes }
}

const carriesMessageOnly = (node: UiNode) =>
  isInput(node) &&
  node.group === 'default' &&
  node.attributes.type === 'text' &&
  node.meta.label === undefined &&
  !isTrait(node)

const isTrait = (node: UiNode) => isInput(node) && node.attributes.name.startsWith('traits.')
