import type { Config } from '../../config/schema/schema.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { RelyingParty } from '../../webauthn/origins.ts'
import { relyingParty } from '../../webauthn/party.ts'

export const PASSKEY = 'passkey'
export const KEYS_OF_EITHER_KIND = [PASSKEY, 'webauthn']
/** Member of a flow's context. */
export const ASKED = 'passkey_session_data'

export interface PasskeyDeps {
  config(): Config
  random: Random
  publicBaseUrl(): string
}

/** As it is configured; undefined while it is switched off. */
export function passkeyParty(d: PasskeyDeps): RelyingParty | undefined {
  const { enabled, config } = d.config().selfservice.methods.passkey
  return enabled && config?.rp ? relyingParty(config.rp, d.publicBaseUrl()) : undefined
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const LENGTH = 64
/** Bytes from here up are dropped: modulo would favour some of the letters. */
const FAIR = 248

/** The user handle. It is also the identifier of the credential, so letters and digits. */
export function newHandle(random: Random): Buffer {
  let text = ''
  while (text.length < LENGTH) {
    for (const byte of random(LENGTH)) if (byte < FAIR) text += LETTERS[byte % LETTERS.length]
  }
  return Buffer.from(text.slice(0, LENGTH))
}
