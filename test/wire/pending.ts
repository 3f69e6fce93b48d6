/** Recorded areas that the server does not serve yet; everything else is played. */
export const PENDING: readonly string[] = [
  'admin-recovery',
  'code-login',
  'code-registration',
  'continue-with',
  'courier-admin',
  'hooks',
  'hydra',
  'link',
  'oidc-admin',
  'oidc-native',
  'recovery-browser',
  'recovery-native',
  'verification',
]
