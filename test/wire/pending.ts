/** Recorded areas that the server does not serve yet; everything else is played. */
export const PENDING: readonly string[] = [
  'admin-recovery',
  'code-login',
  'code-registration',
  'continue-with',
  'hooks',
  'link',
  'recovery-browser',
  'recovery-native',
  'verification',
]

/** The same for scenarios of areas that are served but for these. */
export const PENDING_SCENARIOS: readonly string[] = [
  'hydra: case=verification first',
  'oidc-login: case=a person whose address is not verified',
  'oidc-login: case=identifier first/person with a provider',
  'oidc-login: case=identifier first/unknown person, enumeration mitigated',
  'oidc-login: case=organization parameter',
  'oidc-registration: case=linking: somebody else confirms',
  'hydra: case=verification first/type=spa',
]
