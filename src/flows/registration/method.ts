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

/** A way to register. */
export interface RegistrationMethod {
  /** also its key below `selfservice.flows.registration.after` */
  readonly id: RegistrationMethodId
  /** Its part of a screen, beside the traits; without nodes if it has nothing to offer, or is switched off. */
  form(view: RegistrationView): Promise<FormPart>
  /** Whether a submitted form is for it. A question, not a check: the first method that says yes gets the form. */
  takes(form: SubmittedForm, flow: RegistrationFlow): boolean
  /** An app that returns from elsewhere has cookies: its form may bring them. */
  readonly keepsCookies?: true
  /** Its forms bring nothing that counts for one request only: one that is sent twice at once is one registration. */
  readonly mayRepeat?: true
  /** The values of its own inputs if the form has to be shown again, beside the traits. Never a secret. */
  kept?(form: SubmittedForm): ReadonlyMap<string, Json>
  /**
   * Checks the form. Nothing is written yet.
   * @throws FormRefused: the form is shown again with the messages. HttpError 400 likewise; others become the answer
   */
  register(request: RegistrationRequest): Promise<CheckedRegistration | OtherScreen | Next | OtherKind | GivenUp>
}

export interface RegistrationView {
  /** as it will be stored */
  flow: Omit<RegistrationFlow, 'ui'>
  screen: Screen
  schema: IdentitySchema
  /** values of the inputs of the traits, by name */
  values: ReadonlyMap<string, Json>
}

export interface RegistrationRequest {
  flow: RegistrationFlow
  form: SubmittedForm
  caller: Caller
  schema: IdentitySchema
  /** as they were sent, not checked */
  traits: Json
  /** for nodes of the next form */
  csrfToken: string
  /**
   * The identifiers and addresses in the traits. @param more messages to report together with those about the traits
   * @throws FormRefused, 400 for traits that are too large
   */
  checkTraits(traits: Json, more?: readonly FormProblem[]): DerivedTraits
}

/** A checked registration. The engine runs the hooks, and creates the identity and its session. */
export interface CheckedRegistration {
  kind: 'checked'
  /** they have passed `checkTraits` */
  traits: Json
  credentials: readonly NewCredential[]
  /** metadata from a provider, beside the traits */
  metadata?: { public: Json; admin: Json }
  /** addresses that are verified already */
  verified?: readonly TraitAddress[]
  /** for a session that may begin at once */
  authentication: Proof['authentication']
  /** of the provider that has checked it */
  upstream?: Proof['upstream']
  /** Runs in the transaction that creates the identity, after it: uses up a code. @throws FormRefused: nothing is written */
  write?(tx: Queryable, identity: Identity): Promise<void>
  /** the form if an identifier is taken; absent: the same form with the message */
  whenTaken?: NextForm
}

/** Another screen of the form, with the traits as they were sent. */
export interface OtherScreen {
  kind: 'screen'
  screen: Exclude<Screen, 'unified'>
}
