import type { Flow } from '../types.ts'

/**
 * Somebody proves that an address is theirs; nobody is signed in by it. `active_method` is the group of the method,
 * `default` after an error that belongs to none. The context is no column here: always empty.
 */
export interface VerificationFlow extends Flow {
  /** of the OAuth2 server that waits for the person; null where none does */
  login_challenge: string | null
  /** the session that began with it */
  session_id: string | null
}
