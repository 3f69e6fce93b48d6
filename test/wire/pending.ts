/** Recorded areas that the server does not serve yet; everything else is played. */
export const PENDING: readonly string[] = [
  'aal2',
  'admin-credentials-mfa',
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
  'settings-mfa',
  'verification',
]
