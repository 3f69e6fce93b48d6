import type { JsonObject, StoredCredential } from '../identities/types.ts'

export const PASSWORD = 'password'

/** The password hash of an identity; undefined when no usable password is stored. */
export function passwordHashOf(credentials: readonly Pick<StoredCredential, 'type' | 'config'>[]): string | undefined {
  const hash = credentials.find(({ type }) => type === PASSWORD)?.config.hashed_password
  return typeof hash === 'string' && hash !== '' ? hash : undefined
}

/** A new password; its identifiers come from the traits. */
export const newPassword = (config: JsonObject) => ({
  type: PASSWORD,
  config,
  version: 0,
  identifiers: [] as string[],
})
