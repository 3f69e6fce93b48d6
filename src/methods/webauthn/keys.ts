import type { Config } from '../../config/schema/schema.ts'
import type { IdentitySchema, Json } from '../../identities/types.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import type { RelyingParty } from '../../webauthn/origins.ts'
import { relyingParty } from '../../webauthn/party.ts'

export const WEBAUTHN = 'webauthn'
/** Member of a flow's context. */
export const ASKED = 'webauthn_session_data'

export interface WebauthnDeps {
  config(): Config
  random: Random
  publicBaseUrl(): string
}

/** As it is configured; undefined while it is switched off. */
export function webauthnConfig(d: WebauthnDeps): { rp: RelyingParty; passwordless: boolean } | undefined {
  const { enabled, config } = d.config().selfservice.methods.webauthn
  if (!enabled || config?.rp === undefined) return undefined
  return { rp: relyingParty(config.rp, d.publicBaseUrl()), passwordless: config.passwordless === true }
}

/** The identifiers of security keys, as the schema marks them. */
export function webauthnIdentifiers(schema: Pick<IdentitySchema, 'derive'>, traits: Json): readonly string[] {
  const derived = schema.derive(traits)
  return derived.kind === 'derived' ? (derived.identifiers.get(WEBAUTHN) ?? []) : []
}
