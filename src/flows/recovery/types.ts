import type { Flow } from '../types.ts'

/**
 * Somebody who cannot sign in any more gets back in by a message to an address of theirs. `active_method` is the group of
 * the method, `default` after an error that belongs to none. The context is no column here: always empty.
 */
export interface RecoveryFlow extends Flow {
  /** begun by an operator: whoever has the code may finish it, in any browser */
  skip_csrf_check: boolean
}
