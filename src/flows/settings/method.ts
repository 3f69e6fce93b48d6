import type { Config } from '../../config/schema/schema.ts'
import type { FullIdentity, Identity, IdentitySchema, Json, JsonObject } from '../../identities/types.ts'
import type { Queryable } from '../../kernel/db/client.ts'
import type { Session } from '../../sessions/types.ts'
import type { FormPart } from '../engine/compose.ts'
import type { Next } from '../engine/step.ts'
import type { SubmittedForm } from '../types.ts'
import type { SettingsFlow } from './types.ts'

type After = Config['selfservice']['flows']['settings']['after']
export type SettingsMethodId = Exclude<keyof After, 'default_browser_return_url' | 'hooks'>

/** Something that people change about their own account. */
export interface SettingsMethod {
  /** also its key below `selfservice.flows.settings.after`, and the end of the name under which a form of it waits */
  readonly id: SettingsMethodId
  /** Its part of the form; without nodes where it has nothing to offer, or is switched off. */
  form(view: SettingsView): Promise<FormPart>
  /** Whether a submitted form is for it. A question, not a check: the first method that says yes has the form. */
  takes(form: SubmittedForm, flow: SettingsFlow): boolean
  /** What the inputs of the form hold if it has to be shown again, by name. Never a secret. */
  kept?(form: SubmittedForm, schema: IdentitySchema): ReadonlyMap<string, Json | undefined>
  /**
   * Checks what was sent. Nothing is written yet.
   * @throws FormRefused: the form is shown again with the messages. HttpError 400 likewise; others are answered as they are
   */
  change(request: SettingsRequest): Promise<Change | Next>
  /** The members that the form has while it waits for its sender to sign in again, in the words of Kratos. */
  waiting(form: SubmittedForm, schema: IdentitySchema): JsonObject
}

export interface SettingsView {
  /** as it will be stored */
  flow: Omit<SettingsFlow, 'ui'>
  identity: Identity
  schema: IdentitySchema
  /** the identity with its credentials, read once for all methods */
  account(): Promise<FullIdentity>
}

export interface SettingsRequest extends Omit<SettingsView, 'flow'> {
  flow: SettingsFlow
  form: SubmittedForm
  session: Session
  /** for nodes of a form that comes next */
  csrfToken: string
  /** Goes on only with a session that is fresh enough to change what one signs in with: else its person signs in again. */
  requirePrivilege(): void
}

/** A change that has passed every check of what was sent. */
export interface Change {
  kind: 'change'
  /** Whether the session must be fresh, asked again once the identity is locked. */
  needsPrivilege(identity: Identity): boolean
  /** The identity as the change would leave it, for web hooks; absent where it only touches credentials. */
  preview?(identity: Identity): Identity
  /** Makes the change, in the transaction that notes the success. @throws FormRefused: nothing is written */
  write(tx: Queryable): Promise<FullIdentity>
}
