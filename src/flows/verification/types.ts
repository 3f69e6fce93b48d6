import type { Flow } from '../types.ts'

/**
 * The owner of an address proves that it is theirs; no session begins. `active_method` is the group of the method,
 * `default` after an error that belongs to none. There is no column for the context: it is always empty.
 */
export interface VerificationFlow extends Flow {
  /** of the OAuth2 server that waits; null without one */
  login_challenge: string | null
  /** the session that began with it */
  session_id: string | null
}
