import type { Config } from '../../config/schema/schema.ts'
import type { FullIdentity, Identity, IdentitySchema, Json } from '../../identities/types.ts'
import type { Proof } from '../../sessions/service.ts'
import type { Resolved, Session } from '../../sessions/types.ts'
import type { FormPart, Write } from '../engine/compose.ts'
import type { GivenUp, Next, OtherKind } from '../engine/step.ts'
import type { RequestFacts } from '../hooks/types.ts'
import type { Caller, SubmittedForm } from '../types.ts'
import type { Identified } from './identified.ts'
import type { LoginFlow } from './types.ts'

type After = Config['selfservice']['flows']['login']['after']
export type LoginMethodId = Exclude<keyof After, 'default_browser_return_url' | 'hooks'> | 'identifier_first'

/** A way to prove who one is. */
export interface LoginMethod {
  /** also its key below `selfservice.flows.login.after` */
  readonly id: LoginMethodId
  /** Its part of a form; without nodes where it has nothing to offer, or is switched off. */
  form(view: LoginView): Promise<FormPart>
  /** Whether a submitted form is for it. A question, not a check: the first method that says yes has the form. */
  takes(form: SubmittedForm, flow: LoginFlow): boolean
  /** An app that comes back from elsewhere has cookies: its form may bring them. */
  readonly keepsCookies?: true
  /** What the inputs of the form hold if it has to be shown again, by name; undefined: no value. Never a secret. */
  kept(form: SubmittedForm): ReadonlyMap<string, Json | undefined>
  /**
   * Checks what was sent. It may be asked a second time for the same form, when account or session have changed
   * meanwhile: whatever a right proof uses up belongs into `Proved.write`.
   * @throws FormRefused: the form is shown again with the messages. HttpError 400 likewise; others are answered as they are
   */
  login(request: LoginRequest): Promise<Proved | Identified | Next | OtherKind | GivenUp>
}

/** What the form is for. */
export type LoginPurpose =
  /** anybody says who they are, before anything else is asked */
  | { kind: 'identifier' }
  /** anybody signs in; with `identifier`, as it was typed, once it was asked for alone */
  | { kind: 'firstFactor'; identifier?: string }
  /** somebody who is signed in proves again who they are, by a first factor */
  | { kind: 'refresh'; session: Session }
  /** somebody who is signed in proves a second factor, or with `refresh` proves it again */
  | { kind: 'secondFactor'; session: Session; refresh: boolean }

export interface LoginView {
  /** as it will be stored */
  flow: Omit<LoginFlow, 'ui'>
  purpose: LoginPurpose
  /** gives inputs their labels */
  schema: IdentitySchema
  /**
   * Whose form it is: of the session, or of the identifier that was typed. Undefined for anybody's, and for an identifier
   * that nobody has. Read once for all methods.
   */
  account(): Promise<FullIdentity | undefined>
  /** of the request that asks for the form; absent where it takes the place of another */
  facts?(): RequestFacts
}

export interface LoginRequest {
  flow: LoginFlow
  form: SubmittedForm
  caller: Caller
  /** the session that counts for the request; always there in flows for a second factor */
  current: Resolved | undefined
  /** for nodes of a form that comes next */
  csrfToken: string
}

/** Somebody has proved who they are. The engine checks that they may enter, runs the hooks and begins the session. */
export interface Proved {
  kind: 'proved'
  identity: Identity
  authentication: Proof['authentication']
  /** where a provider has checked it */
  upstream?: Proof['upstream']
  /** the hash that a password was checked against: the session begins only while it is still that one */
  passwordHash?: string | undefined
  /** what was typed, where the person was found by it: the browser is remembered for it */
  identifier?: string
  /**
   * Runs in the transaction that begins the session, before it: uses up a code, verifies an address, links a credential.
   * Whatever is decided here is decided on rows it has locked. @throws FormRefused, NotLocked: nothing is written
   */
  write?: Write
  /** Runs once the session stands; it may take time and must not fail. */
  after?(): Promise<void>
}
