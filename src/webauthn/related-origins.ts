import type { Config } from '../config/schema/schema.ts'

export const RELATED_ORIGINS_PATH = '/.well-known/webauthn'

/**
 * The pages that may use the keys of a relying party: a browser on another domain than `rp.id` asks there.
 * @param host of the request: it decides where `webauthn` and `passkey` have different ids
 * @see https://www.w3.org/TR/webauthn-3/#sctn-related-origins
 */
export function relatedOrigins({ webauthn, passkey }: Config['selfservice']['methods'], host: string): string[] {
  const parties = [
    ...(webauthn.enabled && webauthn.config?.rp ? [webauthn.config.rp] : []),
    ...(passkey.enabled && passkey.config?.rp ? [passkey.config.rp] : []),
  ]
  const isOne = new Set(parties.map(({ id }) => id)).size < 2
  const meant = parties.filter(({ id }) => isOne || id.toLowerCase() === host.toLowerCase())
  return [...new Set(meant.flatMap(({ origins = [] }) => origins.filter((origin) => /^https:\/\//i.test(origin))))]
}
