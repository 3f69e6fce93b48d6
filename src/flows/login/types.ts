import type { Timestamp } from '../../kernel/base/clock.ts'
import type { Aal } from '../../sessions/types.ts'
import type { Flow } from '../types.ts'

export interface LoginFlow extends Flow {
  /** `password` once a login succeeded, else empty */
  active_method: string
  created_at: Timestamp
  updated_at: Timestamp
  /** proves anew who it is; only ever true for somebody with a session */
  refresh: boolean
  requested_aal: Aal
}
