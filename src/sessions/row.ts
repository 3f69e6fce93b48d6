import { aalOf } from '../credentials/aal.ts'
import { readJson } from '../kernel/base/exact-json.ts'
import type { AuthenticationMethod, Session, SessionRow } from './types.ts'

export function methodsOf(session: Session | SessionRow): AuthenticationMethod[] {
  const { authentication_methods: methods } = session
  const value: unknown = typeof methods === 'string' ? JSON.parse(methods) : methods
  // Go programs write `null` for an empty list.
  return Array.isArray(value) ? value.filter((method) => method !== null && typeof method === 'object') : []
}

const parsed = <T>(text: string | null, otherwise: T): T =>
  text === null ? otherwise : ((readJson(text) as T | null) ?? otherwise)

export function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    identity_id: row.identity_id,
    active: row.active,
    issued_at: row.issued_at,
    expires_at: row.expires_at,
    lasts_until: row.lasts_until,
    authenticated_at: row.authenticated_at,
    // Not the column, which may differ: only what was proved counts.
    aal: aalOf(methodsOf(row)),
    authentication_methods: methodsOf(row),
    logout_token: row.logout_token,
    devices: parsed(row.devices, []),
    second_factor: row.second_factor,
    tombstoned: row.tombstoned,
    identity: {
      id: row.identity_id,
      schema_id: row.schema_id,
      state: row.state,
      state_changed_at: row.state_changed_at,
      traits: parsed(row.traits, {}),
      metadata_public: parsed(row.metadata_public, null),
      metadata_admin: parsed(row.metadata_admin, null),
      external_id: row.external_id,
      organization_id: row.organization_id,
      available_aal: row.available_aal,
      created_at: row.created_at,
      updated_at: row.updated_at,
      verifiable_addresses: parsed(row.verifiable_addresses, []),
      recovery_addresses: parsed(row.recovery_addresses, []),
    },
  }
}
