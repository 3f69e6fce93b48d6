import type { IdentitySchema, Json } from '../../identities/types.ts'
import { PASSKEY } from './keys.ts'

/** How authenticators show the person: by the trait that the schema marks for it, else by what security keys go by. */
export function displayName(schema: Pick<IdentitySchema, 'derive'>, traits: Json): string {
  const derived = schema.derive(traits)
  if (derived.kind !== 'derived') return ''
  return derived.names.get(PASSKEY) ?? derived.identifiers.get('webauthn')?.[0] ?? ''
}
