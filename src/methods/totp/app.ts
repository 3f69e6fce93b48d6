import type { StoredCredential } from '../../identities/types.ts'
import { secretOf } from './secret.ts'

export const TOTP = 'totp'

/** An authenticator app that is linked. */
export interface App {
  /** as stored: it tells one app from another */
  url: string
  secret: string
}

/** Undefined where none is linked; one without a secret is none. */
export function appOf(credentials: readonly Pick<StoredCredential, 'type' | 'config'>[]): App | undefined {
  const url = credentials.find(({ type }) => type === TOTP)?.config.totp_url
  const secret = secretOf(url)
  return secret === undefined ? undefined : { url: String(url), secret }
}
