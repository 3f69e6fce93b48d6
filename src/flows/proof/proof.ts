import type { Queryable } from '../../kernel/db/client.ts'
import type { FlowState, UiMessage, UiNode } from '../types.ts'

/** What flows that write to an address have in common: recovery and verification. */

/** The flow goes on with this form; `write` runs in the transaction that stores it. */
export interface NextScreen {
  kind: 'screen'
  nodes: UiNode[]
  messages: UiMessage[]
  state: FlowState
  write?(tx: Queryable): Promise<void>
}

/** This flow is of no use any more: a fresh one waits, that says why. */
export interface StartAgain {
  kind: 'startAgain'
  message: UiMessage
}

/** Somebody has shown that an address of the identity is theirs. */
export interface AddressProof {
  identityId: string
  /**
   * Uses up the proof and notes the address as verified.
   * @throws ProofUsed where somebody was faster; NotLocked
   */
  use(tx: Queryable): Promise<void>
}

/** A code or link was used meanwhile: nothing is written. */
export class ProofUsed extends Error {
  override readonly name = 'ProofUsed'
}
