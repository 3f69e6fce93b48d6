import type { IdentitySchema, Json } from '../../identities/types.ts'
import { PASSKEY } from './keys.ts'

/** The person's name in authenticators: the trait that the schema marks for it, else the identifier of security keys. */
export function displayName(schema: Pick<IdentitySchema, 'derive'>, traits: Json): string {
  const derived = schema.derive(traits)
  if (derived.kind !== 'derived') return ''
  return derived.names.get(PASSKEY) ?? derived.identifiers.get('webauthn')?.[0] ?? ''
}
