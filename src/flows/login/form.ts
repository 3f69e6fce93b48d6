import type { IdentitySchema } from '../../identities/types.ts'
import { messages } from '../messages.ts'
import { csrfNode, inputNode, passwordNode, submitNode } from '../nodes.ts'
import type { Ui, UiMessage, UiNode } from '../types.ts'

export interface LoginFormInput {
  action: string
  csrfToken: string
  /** gives the identifier its label */
  schema: Pick<IdentitySchema, 'identifierLabel'>
  /**
   * - `signIn`: anybody
   * - `confirm`: who is signed in proves it anew; without an identifier there is no password to ask for
   * - `secondFactor`: no method of ours fits
   * - `none`: login by password is switched off
   */
  purpose:
    | { kind: 'signIn' }
    | { kind: 'confirm'; identifier: string | undefined }
    | { kind: 'secondFactor' }
    | { kind: 'none' }
}

export function loginForm({ action, csrfToken, schema, purpose }: LoginFormInput): Ui {
  const nodes = [csrfNode(csrfToken)]
  let own: UiMessage | undefined
  if (purpose.kind === 'signIn') nodes.push(...signInNodes(schema))
  if (purpose.kind === 'confirm') {
    own = messages.confirmItIsYou
    if (purpose.identifier !== undefined) nodes.push(...confirmNodes(purpose.identifier))
  }
  if (purpose.kind === 'secondFactor') own = messages.secondFactor
  return { action, method: 'POST', nodes, ...(own && { messages: [own] }) }
}

function signInNodes({ identifierLabel }: LoginFormInput['schema']): UiNode[] {
  const label = identifierLabel ? messages.trait(identifierLabel.title, identifierLabel.name) : messages.identifier
  return [
    inputNode('default', 'identifier', 'text', { value: '', required: true, label }),
    passwordNode('current-password'),
    submitNode('password', 'password', messages.signInWithPassword),
  ]
}

function confirmNodes(identifier: string): UiNode[] {
  return [
    inputNode('default', 'identifier', 'hidden', { value: identifier }),
    passwordNode('current-password'),
    submitNode('password', 'password', messages.signIn),
  ]
}
