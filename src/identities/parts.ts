import type { NewParts, OldParts } from './store-write.ts'
import type { FullIdentity } from './types.ts'

interface Row {
  id: string
}

function without<T extends Row>(rows: readonly T[], others: readonly Row[]): T[] {
  const known = new Set(ids(others))
  return rows.filter(({ id }) => !known.has(id))
}
const ids = (rows: readonly Row[]) => rows.map(({ id }) => id)

/** The rows to delete and to add; an unchanged row keeps its id. */
export function changedParts(before: FullIdentity, after: FullIdentity): { old: OldParts; added: NewParts } {
  return {
    old: {
      credentials: ids(without(before.credentials, after.credentials)),
      verifiable: ids(without(before.verifiable_addresses, after.verifiable_addresses)),
      recovery: ids(without(before.recovery_addresses, after.recovery_addresses)),
    },
    added: {
      credentials: without(after.credentials, before.credentials),
      verifiable_addresses: without(after.verifiable_addresses, before.verifiable_addresses),
      recovery_addresses: without(after.recovery_addresses, before.recovery_addresses),
    },
  }
}
