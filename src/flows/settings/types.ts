import type { Flow } from '../types.ts'

/** The anti-CSRF token and the schema are no columns here: always empty. */
export interface SettingsFlow extends Flow {
  identity_id: string
  state: 'show_form' | 'success'
}
