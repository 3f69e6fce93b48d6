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

/** The same for scenarios of areas that are served but for these: they wait for what follows a registration. */
export const PENDING_SCENARIOS: readonly string[] = [
  'hydra: case=verification first',
  'hydra: case=verification first/type=spa',
]
