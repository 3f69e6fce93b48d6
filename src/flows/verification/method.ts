import type { AddressOwner, Json, TraitAddress } from '../../identities/types.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { AddressProof, NextScreen, StartAgain } from '../proof/proof.ts'
import type { Expired, FlowType, SubmittedForm, UiNode } from '../types.ts'
import type { VerificationFlow } from './types.ts'

export type VerificationMethodId = 'code' | 'link'

/** A way to verify an address. */
export interface VerificationMethod {
  readonly id: VerificationMethodId
  /** the first screen */
  start(csrfToken: string, type: FlowType): UiNode[]
  /** What a form asks of this method; undefined: it is not for this method. */
  reads(form: SubmittedForm, flow: VerificationFlow): 'ask' | 'prove' | undefined
  /** @throws FormRefused for an invalid address */
  ask(request: VerificationRequest): Promise<NextScreen>
  prove(request: VerificationRequest): Promise<NextScreen | Verified | StartAgain | ProofExpired>
  /** The link of a message was opened; handles what it carries beside the flow. */
  follow(
    flow: VerificationFlow,
    link: { code: string; token: string; csrfToken: string },
  ): Promise<Followed | undefined>
  /** Writes to the owner of an address, in the transaction that stores the flow. @returns the id of the message */
  send(flow: VerificationFlow, to: Recipient, tx: Queryable): Promise<string | undefined>
  /** the screen after a message was sent */
  sentScreen(flow: VerificationFlow, csrfToken: string, to: TraitAddress): NextScreen
}

/** The recipient of a message: `owner` is undefined for an unknown address. */
export interface Recipient {
  typed: string
  owner: AddressOwner | undefined
  transientPayload: Json | undefined
  /** that asks for the message */
  network: string | undefined
}

export type Followed = NextScreen | Verified | StartAgain | ProofExpired

export interface VerificationRequest {
  flow: VerificationFlow
  form: SubmittedForm
  /** for the next form */
  csrfToken: string
  transientPayload: Json | undefined
  /** that asks */
  network: string | undefined
}

export interface Verified extends AddressProof {
  kind: 'verified'
  address: TraitAddress
}

/** The proof has expired. */
export interface ProofExpired {
  kind: 'expired'
  expired: Expired
}
