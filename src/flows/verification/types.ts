import type { Flow } from '../types.ts'

/**
 * Somebody proves that an address is theirs; nobody is signed in by it. `active_method` is the group of the method,
 * `default` after an error that belongs to none. The context is no column here: always empty.
 */
export type VerificationFlow = Flow
