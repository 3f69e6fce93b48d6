import type { Io } from '../kit/io.ts'
import { type FormatOptions, writeFormatted } from '../kit/output.ts'

/** An identity as the admin port answers it; only what the tables show is named. */
export interface RemoteIdentity {
  id: string
  schema_id: string
  schema_url: string
  verifiable_addresses?: { value: string }[]
  recovery_addresses?: { value: string }[]
}

const HEAD = ['ID', 'VERIFIED ADDRESSES', 'RECOVERY ADDRESSES', 'SCHEMA ID', 'SCHEMA URL']
const NONE = '<none>'

/** One member a line, as there are no other rows to compare with. */
export function writeIdentity(io: Io, options: FormatOptions, identity: RemoteIdentity): void {
  const cells = cellsOf(identity)
  writeFormatted(io, options, {
    value: identity,
    table: HEAD.map((head, index) => [head, cells[index]!]),
    ids: [identity.id],
  })
}

/** One a line, then the token of the next page, as Kratos prints it even where there are no pages. */
export function writeIdentities(
  io: Io,
  options: FormatOptions,
  identities: readonly RemoteIdentity[],
  page?: { next: string },
): void {
  const next = page?.next ?? ''
  writeFormatted(io, options, {
    value: page === undefined ? identities : { identities, next_page_token: next },
    table: [HEAD, ...identities.map(cellsOf), [''], ['NEXT PAGE TOKEN', next]],
    ids: [...identities.map(({ id }) => id), '', 'NEXT PAGE TOKEN'],
  })
}

export function writeIds(io: Io, options: FormatOptions, ids: readonly string[]): void {
  const table = ids.length === 1 ? [['ID', ids[0]!]] : [['ID'], ...ids.map((id) => [id])]
  writeFormatted(io, options, { value: ids.length === 1 ? ids[0] : ids, table, ids })
}

function cellsOf(identity: RemoteIdentity): string[] {
  const values = (addresses: { value: string }[] = []) => addresses.map(({ value }) => value).join(', ') || NONE
  return [
    identity.id,
    values(identity.verifiable_addresses),
    values(identity.recovery_addresses),
    identity.schema_id,
    identity.schema_url,
  ]
}
