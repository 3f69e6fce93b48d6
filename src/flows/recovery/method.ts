import type { Json, TraitAddress } from '../../identities/types.ts'
import type { Timestamp } from '../../kernel/base/clock.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { AddressProof, NextScreen, StartAgain } from '../proof/proof.ts'
import type { Caller, FlowState, SubmittedForm, UiNode } from '../types.ts'
import type { RecoveryFlow } from './types.ts'

export type RecoveryMethodId = 'code' | 'link'

/** A way to prove an address. */
export interface RecoveryMethod {
  readonly id: RecoveryMethodId
  /** the first screen, and the state that a flow begins in */
  start(csrfToken: string): { nodes: UiNode[]; state: FlowState }
  /**
   * What a form asks of this method: a message, or to check a proof. Undefined: it is not
   * for this method.
   */
  reads(form: SubmittedForm, flow: RecoveryFlow): 'ask' | 'prove' | undefined
  /** Whether a form for the flow must carry its anti-CSRF token even when it asks nothing of any method. */
  owns?(flow: RecoveryFlow): boolean
  /** @throws FormRefused for an invalid address */
  ask(request: RecoveryRequest): Promise<NextScreen>
  prove(request: RecoveryRequest): Promise<NextScreen | Recovered | StartAgain>
  /** A secret for an operator to pass on, without a message. `write` stores it with the flow. */
  handOut(flow: RecoveryFlow, identityId: string, expiresAt: Timestamp): HandedOut
  /** The secret of a link, which needs no form. */
  follow?(flow: RecoveryFlow, token: string): Promise<Recovered | StartAgain>
}

export interface HandedOut {
  flow: RecoveryFlow
  /** where the owner goes */
  link: string
  /** what they need beside the link */
  code?: string
  write(tx: Queryable): Promise<void>
}

export interface RecoveryRequest {
  flow: RecoveryFlow
  form: SubmittedForm
  caller: Caller
  /** for the next form */
  csrfToken: string
  transientPayload: Json | undefined
}

/** The proof of an address of the identity. */
export interface Recovered extends AddressProof {
  kind: 'recovered'
  /** the method for the session */
  method: 'code_recovery' | 'link_recovery'
  /** the address that was proved; undefined where an operator handed out the code or link */
  address: TraitAddress | undefined
}
