import type { JsonObject } from '../identities/types.ts'

/** What a mapper reads: the session as `/sessions/whoami` shows it, and the claims made so far. */
export interface MapperInput {
  session: JsonObject
  claims: JsonObject
}

/** @returns claims that replace or extend those made so far. @throws Error when they cannot be made */
export type ClaimsMapper = (input: MapperInput) => JsonObject
