import { isObject, type Json, type JsonObject, type StoredCredential } from '../identities/types.ts'

/** The flags that an authenticator sends with each answer. */
export interface KeyFlags {
  user_present: boolean
  user_verified: boolean
  backup_eligible: boolean
  backup_state: boolean
}

/** A key as a sign-in needs it. */
export interface Key {
  id: Buffer
  /** COSE */
  publicKey: Buffer
  signCount: number
  /** absent in rows of old versions */
  flags: KeyFlags | undefined
  /** a first factor on its own; a second factor otherwise */
  passwordless: boolean
  displayName: string
  /** RFC 3339; empty in odd rows */
  addedAt: string
  /** as it is stored, with further members */
  stored: JsonObject
}

/** The keys of one credential of an identity, and the person's user handle. */
export interface KeyRing {
  keys: Key[]
  /** empty: none was issued yet */
  userHandle: Buffer
  /** entries beyond the keys that are read, and those that are no keys to this version: kept as they are */
  unread?: readonly Json[]
  /** members of the config beside keys and handle, kept as well */
  others?: JsonObject
}

interface StoredKeys extends Pick<StoredCredential, 'config' | 'version'> {
  identityId: string
}

/** More than a person owns: every answer is compared with each of them. */
export const MAX_KEYS = 100

/**
 * Rows of version 0 have no handle of their own: it was the id of the identity. Entries that are no keys are not read:
 * operators can write them.
 */
export function keyRingOf(
  credential: Pick<StoredCredential, 'config' | 'version'> | undefined,
  identityId: string,
): KeyRing {
  if (!credential) return { keys: [], userHandle: Buffer.alloc(0) }
  const { credentials, user_handle: handle, ...others } = credential.config
  const keys: Key[] = []
  const unread: Json[] = []
  for (const entry of Array.isArray(credentials) ? credentials : []) {
    const key = keys.length < MAX_KEYS ? readKey(entry) : undefined
    if (key) keys.push(key)
    else unread.push(entry)
  }
  const own = bytes(handle)
  return {
    keys,
    userHandle: own.length === 0 && keys.length > 0 ? handleOf(identityId) : own,
    ...(unread.length > 0 && { unread }),
    ...(Object.keys(others).length > 0 && { others }),
  }
}

/** Ids of all keys that are stored, in base64url: those that are not read as well. */
export function storedIds({ keys, unread = [] }: KeyRing): string[] {
  const ids = unread.map((entry) => bytes((Object(entry) as JsonObject).id))
  return [...keys.map(({ id }) => id), ...ids].map((id) => id.toString('base64url'))
}

/** The id of an identity as user handle. */
export const handleOf = (identityId: string): Buffer => Buffer.from(identityId.replaceAll('-', ''), 'hex')

/** The config of a row of version 0 in the present form, as operators see it and write it back. */
export function upgradedKeys({ config, version, identityId }: StoredKeys): JsonObject {
  if (version > 0) return config
  const { credentials, user_handle: handle = handleOf(identityId).toString('base64') } = config
  if (!Array.isArray(credentials)) return { ...config, user_handle: handle }
  const keys = credentials.map((key) => (isObject(key) ? { is_passwordless: false, ...key } : key))
  return { ...config, credentials: keys, user_handle: handle }
}

/** Undefined for what is no key. */
export function readKey(stored: Json): Key | undefined {
  if (!isObject(stored)) return undefined
  const [id, publicKey] = [bytes(stored.id), bytes(stored.public_key)]
  if (id.length === 0 || publicKey.length === 0) return undefined
  const { sign_count: count } = Object(stored.authenticator) as JsonObject
  return {
    id,
    publicKey,
    signCount: typeof count === 'number' ? count : 0,
    flags: readFlags(stored.flags),
    passwordless: stored.is_passwordless === true,
    displayName: typeof stored.display_name === 'string' ? stored.display_name : '',
    addedAt: typeof stored.added_at === 'string' ? stored.added_at : '',
    stored,
  }
}

function readFlags(value: Json | undefined): KeyFlags | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const flags = value as JsonObject
  const has = (name: string) => flags[name] === true
  return {
    user_present: has('user_present'),
    user_verified: has('user_verified'),
    backup_eligible: has('backup_eligible'),
    backup_state: has('backup_state'),
  }
}

/** The config of a credential, in the format of Kratos. */
export function keyRingConfig({ keys, userHandle, unread = [], others = {} }: KeyRing): JsonObject {
  return {
    ...others,
    credentials: [...keys.map(({ stored, passwordless }) => ({ ...stored, is_passwordless: passwordless })), ...unread],
    user_handle: userHandle.toString('base64'),
  }
}

const bytes = (value: Json | undefined): Buffer =>
  typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0)
