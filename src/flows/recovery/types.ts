import type { Flow } from '../types.ts'

/**
 * An owner who cannot sign in any more proves an address and is signed in. `active_method` is the group of
 * the method, `default` after an error that belongs to none. There is no column for the context: it is always empty.
 */
export interface RecoveryFlow extends Flow {
  /** begun by an operator: the code works in any browser */
  skip_csrf_check: boolean
}
