import type { Queryable } from '../../kernel/db/client.ts'
import type { FlowState, UiMessage, UiNode } from '../types.ts'

/** Shared by the flows that write to an address: recovery and verification. */

/** The flow continues with this form; `write` runs in the transaction that stores it. */
export interface NextScreen {
  kind: 'screen'
  nodes: UiNode[]
  messages: UiMessage[]
  state: FlowState
  write?(tx: Queryable): Promise<unknown>
}

/** This flow cannot be used any more: a new one says why. */
export interface StartAgain {
  kind: 'startAgain'
  message: UiMessage
}

/** The proof of an address of the identity. */
export interface AddressProof {
  identityId: string
  /**
   * Uses up the proof and marks the address as verified.
   * @throws ProofUsed if another request was faster; NotLocked
   */
  use(tx: Queryable): Promise<void>
}

/** A code or link was used meanwhile: nothing is written. */
export class ProofUsed extends Error {
  override readonly name = 'ProofUsed'
}
