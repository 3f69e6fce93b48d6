import type { Resolved } from '../../sessions/types.ts'
import type { LoginOutcome } from '../login/submit.ts'
import type { RegistrationOutcome } from '../registration/submit.ts'
import type { SettingsOutcome } from '../settings/submit.ts'
import type { Caller, Flow } from '../types.ts'

export interface CallbackRequest {
  query: URLSearchParams
  /** from the path; undefined at the address that serves all providers */
  provider: string | undefined
  /** the continuity containers of the browser, the newest first */
  containerIds: readonly string[]
  caller: Caller
}

/** The outcome, as that of the flow that it ends. */
export type CallbackOutcome = (
  | { kind: 'login'; outcome: LoginOutcome }
  | { kind: 'registration'; outcome: RegistrationOutcome }
  | { kind: 'settings'; outcome: SettingsOutcome; resolved: Resolved }
  /** signed in already */
  | { kind: 'home'; to: string }
) & {
  /** set if an app waits: it asks for its session with a code, and the browser is sent back to it */
  app?: Flow
}

/** A method that sends browsers to another server, from which they return. */
export interface ProviderCallback {
  /** the name of the continuity container */
  container: string
  enabled(): boolean
  /** Checks the state alone. @throws HttpError 400, 404 */
  check(request: Pick<CallbackRequest, 'query' | 'provider'>): void
  /** Hands the session to the waiting app. @returns the second code that the app needs */
  handOver(app: Flow, sessionId: string): Promise<string | undefined>
  /** @throws HttpError if the callback is not this browser's; 404 where the method is switched off */
  complete(request: CallbackRequest): Promise<CallbackOutcome>
}
