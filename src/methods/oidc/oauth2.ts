import type { JsonObject } from '../../identities/types.ts'
import { type Claims, textAt, toClaims } from './claims.ts'
import { scopeMissing } from './errors.ts'
import type { ClaimsRequest, Endpoints, Kind } from './kind.ts'

/** A provider of OAuth 2.0 alone: its own API describes the person. */
export const oauth2 = (
  endpoints: Endpoints,
  claims: (request: ClaimsRequest) => Promise<JsonObject>,
  more: Partial<Kind> = {},
): Kind => ({
  endpoints: async () => endpoints,
  claims: async (request): Promise<Claims> => toClaims(await claims(request)),
  ...more,
})

/** @throws HttpError 400 when the person did not grant all requested scopes */
export function assertGranted({ provider, tokens }: ClaimsRequest, separator: string): void {
  const granted = new Set(textAt(tokens.answer, 'scope').split(separator))
  if (!(provider.scope ?? []).every((scope) => granted.has(scope))) throw scopeMissing()
}
