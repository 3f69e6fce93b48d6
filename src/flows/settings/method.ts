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

/** A part of the account that its owner can change. */
export interface SettingsMethod {
  /** also its key below `selfservice.flows.settings.after`, and the suffix of the name of its pending forms */
  readonly id: SettingsMethodId
  /** Its part of the form; without nodes if it has nothing to offer, or is switched off. */
  form(view: SettingsView): Promise<FormPart>
  /** Whether a submitted form is for it. A question, not a check: the first method that says yes gets the form. */
  takes(form: SubmittedForm, flow: SettingsFlow): boolean
  /** The values of its inputs if the form has to be shown again, by name. Never a secret. */
  kept?(form: SubmittedForm, schema: IdentitySchema): ReadonlyMap<string, Json | undefined>
  /**
   * Checks the form. Nothing is written yet.
   * @throws FormRefused: the form is shown again with the messages. HttpError 400 likewise; others become the answer
   */
  change(request: SettingsRequest): Promise<Change | Next>
  /** The members to keep while the caller signs in again, in the format of Kratos. */
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
  /** for nodes of the next form */
  csrfToken: string
  /** Returns only if the session is fresh enough to change credentials; otherwise the caller signs in again. */
  requirePrivilege(): void
}

/** A change whose input has passed every check. */
export interface Change {
  kind: 'change'
  /** Whether the session must be fresh; asked again once the identity is locked. */
  needsPrivilege(identity: Identity): boolean
  /** The identity after the change, for web hooks; absent if it only changes credentials. */
  preview?(identity: Identity): Identity
  /** Makes the change, in the transaction that completes the flow. @throws FormRefused: nothing is written */
  write(tx: Queryable): Promise<FullIdentity>
}
