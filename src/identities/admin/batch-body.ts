import { bodyInvalid } from '../failures.ts'
import { asBody, assertMembers, type IdentityBody, readCreateBody, readUuid } from './bodies.ts'

/** One item of a batch; without `create` it is skipped. */
export interface BatchEntry {
  create: IdentityBody | undefined
  patchId: string | undefined
}

/** @throws 400 when any item cannot be read: then none is created */
export function readBatchBody(body: unknown): BatchEntry[] {
  const object = asBody(body)
  assertMembers(object, ['identities'])
  const { identities = null } = object
  if (identities !== null && !Array.isArray(identities)) throw bodyInvalid('identities must be a list')
  return (identities ?? []).map((item) => {
    const entry = asBody(item)
    assertMembers(entry, ['create', 'patch_id'])
    const { create = null } = entry
    return {
      create: create === null ? undefined : readCreateBody(create),
      patchId: readUuid(entry, 'patch_id') ?? undefined,
    }
  })
}
