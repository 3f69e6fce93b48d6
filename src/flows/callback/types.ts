import type { Resolved } from '../../sessions/types.ts'
import type { LoginOutcome } from '../login/submit.ts'
import type { RegistrationOutcome } from '../registration/submit.ts'
import type { SettingsOutcome } from '../settings/submit.ts'
import type { Caller, Flow } from '../types.ts'

export interface CallbackRequest {
  query: URLSearchParams
  /** of the path; undefined at the address that serves all of them */
  provider: string | undefined
  /** what the browser comes back to */
  containerId: string | undefined
  caller: Caller
}

/** What came of it, in the words of the flow that it ends. */
export type CallbackOutcome = (
  | { kind: 'login'; outcome: LoginOutcome }
  | { kind: 'registration'; outcome: RegistrationOutcome }
  | { kind: 'settings'; outcome: SettingsOutcome; resolved: Resolved }
  /** signed in already */
  | { kind: 'home'; to: string }
) & {
  /** set where an app waits: it asks for its session with a code, and the browser is sent back to it */
  app?: Flow
}

/** A method that sends browsers to another server, from which they come back. */
export interface ProviderCallback {
  /** under which name a browser comes back to its sign-in */
  container: string
  enabled(): boolean
  /** Looks at the state alone. @throws HttpError 400, 404 */
  check(request: Pick<CallbackRequest, 'query' | 'provider'>): void
  /** Hands the session to the app that waits for it. @returns what the app needs besides its own code */
  handOver(app: Flow, sessionId: string): Promise<string | undefined>
  /** @throws HttpError for what is not a way back of this browser; 404 where the method is switched off */
  complete(request: CallbackRequest): Promise<CallbackOutcome>
}
