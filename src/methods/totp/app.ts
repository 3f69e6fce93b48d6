import type { Flow } from '../../flows/types.ts'
import type { StoredCredential } from '../../identities/types.ts'
import { secretOf } from './secret.ts'

export const TOTP = 'totp'

/** A linked authenticator app. */
export interface App {
  /** as stored: it tells one app from another */
  url: string
  secret: string
}

/** Undefined if none is linked; a credential without a secret is none. */
export function appOf(credentials: readonly Pick<StoredCredential, 'type' | 'config'>[]): App | undefined {
  const url = credentials.find(({ type }) => type === TOTP)?.config.totp_url
  const secret = secretOf(url)
  return secret === undefined ? undefined : { url: String(url), secret }
}

/**
 * Apps show `123 456`, and some keyboards type full-width digits. A native client sends the code itself: there Kratos
 * allows only blanks around it.
 */
export const asTyped = ({ type }: Pick<Flow, 'type'>, code: string): string =>
  type === 'api' ? code.trim() : code.normalize('NFKC').replaceAll(/[\s.-]/g, '')
