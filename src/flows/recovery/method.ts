import type { Json } from '../../identities/types.ts'
import type { Timestamp } from '../../kernel/base/clock.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { AddressProof, NextScreen, StartAgain } from '../proof/proof.ts'
import type { Caller, FlowState, SubmittedForm, UiNode } from '../types.ts'
import type { RecoveryFlow } from './types.ts'

export type RecoveryMethodId = 'code' | 'link'

/** A way to prove that an address is one's own. */
export interface RecoveryMethod {
  readonly id: RecoveryMethodId
  /** the first screen, and the state that a flow begins in */
  start(csrfToken: string): { nodes: UiNode[]; state: FlowState }
  /**
   * What a form that was sent to the flow wants of this method: a message, or to prove something. Undefined: it is not
   * for this method.
   */
  reads(form: SubmittedForm, flow: RecoveryFlow): 'ask' | 'prove' | undefined
  /** @throws FormRefused for what is no address */
  ask(request: RecoveryRequest): Promise<NextScreen>
  prove(request: RecoveryRequest): Promise<NextScreen | Recovered | StartAgain>
  /** What an operator hands on to somebody, without a message. `write` stores its secret with the flow. */
  handOut(flow: RecoveryFlow, identityId: string, expiresAt: Timestamp): HandedOut
  /** The secret of a link, which needs no form. */
  follow?(flow: RecoveryFlow, token: string): Promise<Recovered | StartAgain>
}

export interface HandedOut {
  flow: RecoveryFlow
  /** where the person goes */
  link: string
  /** what they bring along, where the link does not carry it */
  code?: string
  write(tx: Queryable): Promise<void>
}

export interface RecoveryRequest {
  flow: RecoveryFlow
  form: SubmittedForm
  caller: Caller
  /** for the form that comes next */
  csrfToken: string
  transientPayload: Json | undefined
}

/** Somebody has proved that they have an address of the identity. */
export interface Recovered extends AddressProof {
  kind: 'recovered'
  /** how the session came to be */
  method: 'code_recovery' | 'link_recovery'
}
