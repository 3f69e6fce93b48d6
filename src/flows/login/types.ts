import type { Timestamp } from '../../kernel/base/clock.ts'
import type { Aal } from '../../sessions/types.ts'
import type { Flow } from '../types.ts'

export interface LoginFlow extends Flow {
  created_at: Timestamp
  updated_at: Timestamp
  /** asks for a fresh proof; only ever true with a session */
  refresh: boolean
  requested_aal: Aal
}
