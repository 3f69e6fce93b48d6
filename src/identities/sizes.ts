import { stringifyJson } from '../kernel/base/exact-json.ts'
import { badRequest } from '../kernel/http/errors.ts'
import type { Identity, Json } from './types.ts'

/** Bytes of JSON that one identity may hold, by member. */
export interface IdentityLimits {
  traits: number
  metadata: number
}

type Sized = Pick<Identity, 'metadata_public' | 'metadata_admin'> & { traits: Json }

/**
 * Checks an identity against its limits. What is too large already may stay, or become smaller.
 * @throws 400 that names the member and its limit
 */
export function assertSizes(limits: IdentityLimits, after: Sized, before: Sized | undefined): void {
  assertSize('traits', limits.traits, after.traits, before?.traits)
  assertSize('metadata_public', limits.metadata, after.metadata_public, before?.metadata_public)
  assertSize('metadata_admin', limits.metadata, after.metadata_admin, before?.metadata_admin)
}

/** @throws 400 */
export function assertSize(name: string, limit: number, value: Json, before: Json | undefined): void {
  const size = sizeOf(value)
  if (size <= limit || (before !== undefined && size <= sizeOf(before))) return
  throw badRequest(`${name} must not be larger than ${limit} bytes as JSON, but would be ${size}.`)
}

const sizeOf = (value: Json) => Buffer.byteLength(stringifyJson(value))
