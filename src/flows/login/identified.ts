import type { FullIdentity } from '../../identities/types.ts'
import { selectSchema } from '../begin.ts'
import { aheadNodes } from '../engine/compose.ts'
import { nameOf } from '../engine/order.ts'
import type { NextForm } from '../engine/step.ts'
import { messages } from '../messages.ts'
import { cleared } from '../nodes.ts'
import { refused } from '../refused.ts'
import { isInput, type UiNode } from '../types.ts'
import type { BeginLoginDeps } from './begin.ts'
import type { LoginRequest, LoginView } from './method.ts'

/** An identifier was given, and no proof yet. */
export interface Identified {
  kind: 'identified'
  /** as it was typed */
  identifier: string
  /** undefined for an unknown identifier */
  account: FullIdentity | undefined
}

/**
 * The form after the identifier: the methods of its owner. Where accounts must not be revealed, methods show
 * themselves for every identifier.
 * @throws FormRefused without a method
 */
export async function askForProof(
  d: Pick<BeginLoginDeps, 'config' | 'methods' | 'schemas'>,
  { flow, caller, csrfToken }: LoginRequest,
  { identifier, account }: Identified,
): Promise<NextForm> {
  const view: LoginView = {
    flow,
    purpose: { kind: 'firstFactor', identifier },
    schema: selectSchema(d.schemas(), flow.identity_schema),
    account: async () => account,
    facts: () => caller.facts(),
  }
  const parts = identifier === '' ? [] : await Promise.all(d.methods.map((method) => method.form(view)))
  const offered = parts.flatMap(({ nodes }) => nodes)
  if (offered.length === 0) throw refused(messages.unknownIdentifier, 'identifier')
  // A single method has begun already, e.g. has sent its code.
  const ahead = parts.find(({ state }) => state !== undefined)
  if (ahead) return { kind: 'form', ...ahead, nodes: aheadNodes(ahead, csrfToken) }
  // The providers of the first screen do not depend on the account: they stay where accounts must not be revealed.
  const allStay = d.config().security.account_enumeration.mitigate
  const added = allStay ? offered.filter((node) => !isProvider(node)) : offered
  const values = new Map([['identifier', identifier]])
  // Kratos leaves the token as it is where nothing but providers is offered.
  if (!added.every(isProvider)) values.set('csrf_token', csrfToken)
  const before = cleared(flow.ui, values).nodes.filter((node) =>
    isProvider(node) ? allStay : !offered.some((one) => isSame(node, one)),
  )
  return {
    kind: 'form',
    nodes: [...before.flatMap(withoutQuestion), ...added],
    context: Object.assign({}, flow.context, ...parts.map(({ context }) => context)),
    active: 'identifier_first',
  }
}

const isProvider = (node: UiNode) => nameOf(node) === 'provider'

/** Hides the identifier, and drops its button. */
function withoutQuestion(node: UiNode): UiNode[] {
  if (node.group !== 'identifier_first' || !isInput(node)) return [node]
  if (node.attributes.name !== 'identifier') return []
  return [{ ...node, attributes: { ...node.attributes, type: 'hidden' } }]
}

const isSame = (a: UiNode, b: UiNode) =>
  isInput(a) && isInput(b) && a.attributes.name === b.attributes.name && a.group === b.group
