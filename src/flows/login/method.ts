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

/** A way to sign in. */
export interface LoginMethod {
  /** also its key below `selfservice.flows.login.after` */
  readonly id: LoginMethodId
  /** Its part of a form; without nodes if it has nothing to offer, or is switched off. */
  form(view: LoginView): Promise<FormPart>
  /** Whether a submitted form is for it. A question, not a check: the first method that says yes gets the form. */
  takes(form: SubmittedForm, flow: LoginFlow): boolean
  /** An app that returns from elsewhere has cookies: its form may bring them. */
  readonly keepsCookies?: true
  /** The values of its inputs if the form has to be shown again, by name; undefined: no value. Never a secret. */
  kept(form: SubmittedForm): ReadonlyMap<string, Json | undefined>
  /**
   * Checks the form. It may be called a second time for the same form, when account or session have changed
   * meanwhile: what a right proof uses up belongs into `Proved.write`.
   * @throws FormRefused: the form is shown again with the messages. HttpError 400 likewise; others become the answer
   */
  login(request: LoginRequest): Promise<Proved | Identified | Next | OtherKind | GivenUp>
}

/** The purpose of the form. */
export type LoginPurpose =
  /** the identifier alone, before anything else */
  | { kind: 'identifier' }
  /** any account signs in; with `identifier`, as it was typed, if it was asked for alone */
  | { kind: 'firstFactor'; identifier?: string }
  /** the owner of a session proves a first factor again */
  | { kind: 'refresh'; session: Session }
  /** the owner of a session proves a second factor, or with `refresh` proves it again */
  | { kind: 'secondFactor'; session: Session; refresh: boolean }

export interface LoginView {
  /** as it will be stored */
  flow: Omit<LoginFlow, 'ui'>
  purpose: LoginPurpose
  /** gives inputs their labels */
  schema: IdentitySchema
  /**
   * The account of the form: of the session, or of the identifier that was typed. Undefined without either, and for an unknown
   * identifier. Read once for all methods.
   */
  account(): Promise<FullIdentity | undefined>
  /** of the request that asks for the form; absent where it takes the place of another */
  facts?(): RequestFacts
}

export interface LoginRequest {
  flow: LoginFlow
  form: SubmittedForm
  caller: Caller
  /** the session of the request; always set in flows for a second factor */
  current: Resolved | undefined
  /** for nodes of the next form */
  csrfToken: string
}

/** A proof. The engine checks that its identity may sign in, runs the hooks and begins the session. */
export interface Proved {
  kind: 'proved'
  identity: Identity
  authentication: Proof['authentication']
  /** of the provider that has checked it */
  upstream?: Proof['upstream']
  /** the hash that the password was checked against: the session begins only while it has not changed */
  passwordHash?: string | undefined
  /** as it was typed, if the account was found by it: the browser is remembered for it */
  identifier?: string
  /**
   * Runs in the transaction that begins the session, before it: uses up a code, verifies an address, links a credential.
   * Decides on rows that it has locked. @throws FormRefused, NotLocked: nothing is written
   */
  write?: Write
  /** Runs after the session has begun; it may take time and must not fail. */
  after?(): Promise<void>
}
