import type { Config } from '../../config/schema/schema.ts'
import type { NewCredential } from '../../identities/creation.ts'
import type { DerivedTraits, Identity, IdentitySchema, Json, TraitAddress } from '../../identities/types.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { Proof } from '../../sessions/service.ts'
import type { FormPart } from '../engine/compose.ts'
import type { GivenUp, Next, NextForm, OtherKind } from '../engine/step.ts'
import type { Caller, FormProblem, SubmittedForm } from '../types.ts'
import type { Screen } from './form.ts'
import type { RegistrationFlow } from './types.ts'

type After = Config['selfservice']['flows']['registration']['after']
export type RegistrationMethodId = Exclude<keyof After, 'default_browser_return_url' | 'hooks'> | 'profile'

/** A way to sign up. */
export interface RegistrationMethod {
  /** also its key below `selfservice.flows.registration.after` */
  readonly id: RegistrationMethodId
  /** Its part of a screen, beside the traits; without nodes where it has nothing to offer, or is switched off. */
  form(view: RegistrationView): Promise<FormPart>
  /** Whether a submitted form is for it. A question, not a check: the first method that says yes has the form. */
  takes(form: SubmittedForm, flow: RegistrationFlow): boolean
  /** An app that comes back from elsewhere has cookies: its form may bring them. */
  readonly keepsCookies?: true
  /** What its own inputs hold if the form has to be shown again, beside the traits. Never a secret. */
  kept?(form: SubmittedForm): ReadonlyMap<string, Json>
  /**
   * Checks what was sent. Nothing is written yet.
   * @throws FormRefused: the form is shown again with the messages. HttpError 400 likewise; others are answered as they are
   */
  register(request: RegistrationRequest): Promise<Newcomer | OtherScreen | Next | OtherKind | GivenUp>
}

export interface RegistrationView {
  /** as it will be stored */
  flow: Omit<RegistrationFlow, 'ui'>
  screen: Screen
  schema: IdentitySchema
  /** what the inputs of the traits hold, by name */
  values: ReadonlyMap<string, Json>
}

export interface RegistrationRequest {
  flow: RegistrationFlow
  form: SubmittedForm
  caller: Caller
  schema: IdentitySchema
  /** as they were sent, not judged */
  traits: Json
  /** for nodes of a form that comes next */
  csrfToken: string
  /**
   * What the traits are used for. @param more told together with what is wrong with the traits
   * @throws FormRefused, 400 for traits that are too large
   */
  checkTraits(traits: Json, more?: readonly FormProblem[]): DerivedTraits
}

/** Somebody who may be registered. The engine runs the hooks, and makes the identity and its session. */
export interface Newcomer {
  kind: 'newcomer'
  /** they have passed `checkTraits` */
  traits: Json
  credentials: readonly NewCredential[]
  /** what a provider says of them, besides the traits */
  metadata?: { public: Json; admin: Json }
  /** addresses that are proved already */
  verified?: readonly TraitAddress[]
  /** for the session that may begin at once */
  authentication: Proof['authentication']
  /** where a provider has checked who it is */
  upstream?: Proof['upstream']
  /** Runs in the transaction that makes the identity, after it: uses up a code. @throws FormRefused: nothing is written */
  write?(tx: Queryable, identity: Identity): Promise<void>
  /** the form if an identifier is taken; absent: the same form with the message */
  whenTaken?: NextForm
}

/** The form goes on, or back, to another screen with the traits as they were sent. */
export interface OtherScreen {
  kind: 'screen'
  screen: Exclude<Screen, 'unified'>
}
