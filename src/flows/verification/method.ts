import type { AddressOwner, Json, TraitAddress } from '../../identities/types.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { AddressProof, NextScreen, StartAgain } from '../proof/proof.ts'
import type { Expired, FlowType, SubmittedForm, UiNode } from '../types.ts'
import type { VerificationFlow } from './types.ts'

export type VerificationMethodId = 'code' | 'link'

/** A way to prove that an address is one's own. */
export interface VerificationMethod {
  readonly id: VerificationMethodId
  /** the first screen */
  start(csrfToken: string, type: FlowType): UiNode[]
  /** What a form that was sent to the flow wants of this method; undefined: it is not for this method. */
  reads(form: SubmittedForm, flow: VerificationFlow): 'ask' | 'prove' | undefined
  /** @throws FormRefused for what is no address */
  ask(request: VerificationRequest): Promise<NextScreen>
  prove(request: VerificationRequest): Promise<NextScreen | Verified | StartAgain | ProofExpired>
  /** The link of a message was opened; what it carries beside the flow. */
  follow(
    flow: VerificationFlow,
    link: { code: string; token: string; csrfToken: string },
  ): Promise<Followed | undefined>
  /** Writes to the owner of an address, in the transaction that stores the flow. */
  send(flow: VerificationFlow, to: Recipient, tx: Queryable): Promise<void>
  /** the screen once a message is on its way */
  sentScreen(flow: VerificationFlow, csrfToken: string, to: TraitAddress): NextScreen
}

/** Whom a message is for: `owner` is undefined where nobody has the address. */
export interface Recipient {
  typed: string
  owner: AddressOwner | undefined
  transientPayload: Json | undefined
}

export type Followed = NextScreen | Verified | StartAgain | ProofExpired

export interface VerificationRequest {
  flow: VerificationFlow
  form: SubmittedForm
  /** for the form that comes next */
  csrfToken: string
  transientPayload: Json | undefined
}

export interface Verified extends AddressProof {
  kind: 'verified'
  address: TraitAddress
}

/** The proof came too late. */
export interface ProofExpired {
  kind: 'expired'
  expired: Expired
}
