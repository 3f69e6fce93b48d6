/** Recorded areas that the server does not serve yet; everything else is played. */
export const PENDING: readonly string[] = ['code-login', 'code-registration']

/** The same for scenarios of areas that are served but for these. */
export const PENDING_SCENARIOS: readonly string[] = [
  'oidc-login: case=identifier first/person with a provider',
  'oidc-login: case=identifier first/unknown person, enumeration mitigated',
  'oidc-login: case=organization parameter',
  'oidc-registration: case=linking: somebody else confirms',
  'recovery-browser: case=choose_recovery_address without continue_with/type=spa',
  'recovery-browser: case=choose_recovery_address, back/type=spa',
  'recovery-browser: case=choose_recovery_address, by SMS/type=spa',
  'recovery-browser: case=choose_recovery_address, confirmed wrongly/type=spa',
  'recovery-browser: case=choose_recovery_address, phone/type=spa',
  'recovery-browser: case=choose_recovery_address, unknown address/type=spa',
  'recovery-browser: case=one address only, choose_recovery_address/type=browser',
  'recovery-browser: case=two addresses, choose_recovery_address/type=browser',
  'recovery-browser: case=two addresses, choose_recovery_address/type=spa',
  'recovery-native: case=choose_recovery_address, nothing named',
  'recovery-native: case=choose_recovery_address, wrong code',
  'recovery-native: case=two addresses, choose_recovery_address/type=native',
]
