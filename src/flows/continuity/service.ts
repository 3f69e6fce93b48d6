import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { JsonObject } from '../../identities/types.ts'
import { isObject } from '../../identities/types.ts'
import { type Clock, formatTime, type Micros, parseTime, SECOND } from '../../kernel/base/clock.ts'
import { readJson, stringifyJson } from '../../kernel/base/exact-json.ts'
import { isUuid, uuid } from '../../kernel/base/uuid.ts'
import { decodeBase64, encodeBase64 } from '../../kernel/crypto/base64.ts'
import type { Random } from '../../kernel/crypto/tokens.ts'
import { NotLocked, type Queryable } from '../../kernel/db/client.ts'
import type { ContinuityStore } from './store.ts'

/** The owner of pending work: no other session can resume it. */
export interface Owner {
  identityId: string
  /** the session that began it; another one of the same identity cannot resume it */
  sessionId: string
}

export interface ContinuityDeps {
  store: ContinuityStore
  clock: Clock
  random: Random
  /** the first one encrypts, all of them decrypt */
  secrets(): readonly string[]
  /** the database is shared with Kratos, which reads the payload only as plain JSON */
  shared: boolean
}

/** Work that waits while a browser is elsewhere, and is resumed once when it returns. */
export interface Continuity {
  /** @returns the id to return with; undefined if the payload is too large */
  pause(name: string, owner: Owner, payload: JsonObject): Promise<string | undefined>
  /** Deletes and returns it. @returns undefined where this owner has none, or it is too old */
  resume(name: string, id: string, owner: Owner): Promise<JsonObject | undefined>
  /** Work before anyone has signed in. @returns the id to return with; undefined if the payload is too large */
  begin(name: string, payload: JsonObject, lifespan: Micros): Promise<string | undefined>
  /** Reads it without deleting it. @returns undefined where there is none, or it is too old */
  look(name: string, id: string): Promise<JsonObject | undefined>
  /** Keeps it in the one place of that id, instead of what was there. */
  keep(name: string, id: string, payload: JsonObject, lifespan: Micros): Promise<void>
  /** Deletes it, if it is there. */
  drop(id: string, tx: Queryable): Promise<void>
  /** @throws NotLocked when another request has used it up */
  useUp(id: string, tx: Queryable): Promise<void>
}

const LIFESPAN: Micros = 15 * 60 * SECOND
/** Characters of JSON. Forms are small; a larger one must be filled in again. */
const MAX_PAYLOAD = 16_384
/** Kratos ignores members that it does not know. */
const SESSION_MEMBER = 'lethe_session_id'

export function createContinuity(d: ContinuityDeps): Continuity {
  function timesOf(lifespan: Micros) {
    const now = d.clock.now()
    return { now: formatTime(now), expiresAt: formatTime(Math.trunc((now + lifespan) / SECOND) * SECOND) }
  }

  const sealedFor = (id: string, payload: JsonObject) => ({ sealed: seal(d, id, stringifyJson(payload)) })

  async function store(name: string, identityId: string | null, payload: JsonObject, lifespan: Micros) {
    if (stringifyJson(payload).length > MAX_PAYLOAD) return undefined
    const id = uuid(d.random)
    const stored = d.shared ? payload : sealedFor(id, payload)
    await d.store.insert({ id, name, identityId, payload: stored, ...timesOf(lifespan) })
    return id
  }

  function read(id: string, row: { payload: unknown; expires_at: string } | undefined): JsonObject | undefined {
    if (!row || parseTime(row.expires_at) <= d.clock.now()) return undefined
    return isObject(row.payload as JsonObject) ? opened(d, id, row.payload as JsonObject) : undefined
  }

  return {
    pause: (name, { identityId, sessionId }, payload) =>
      store(name, identityId, { ...payload, [SESSION_MEMBER]: sessionId }, LIFESPAN),

    async resume(name, id, { identityId, sessionId }) {
      const payload = read(id, await d.store.take(id, name, identityId))
      if (payload === undefined) return undefined
      const { [SESSION_MEMBER]: begunBy, ...rest } = payload
      return begunBy === undefined || begunBy === sessionId ? rest : undefined
    },

    begin: (name, payload, lifespan) => store(name, null, payload, lifespan),
    look: async (name, id) => (isUuid(id) ? read(id, await d.store.look(id, name)) : undefined),
    async keep(name, id, payload, lifespan) {
      if (stringifyJson(payload).length > MAX_PAYLOAD) return
      await d.store.put({ id, name, identityId: null, payload: sealedFor(id, payload), ...timesOf(lifespan) })
    },
    drop: async (id, tx) => void (await d.store.useUp(id, tx)),
    async useUp(id, tx) {
      if (!(await d.store.useUp(id, tx))) throw new NotLocked('continuity.use_up: it was used up')
    },
  }
}

/** A form may hold a new password, which must not be readable in a table that Kratos does not share. */
const keyOf = (secret: string) => Buffer.from(hkdfSync('sha256', secret, '', 'lethe continuity', 32))
const IV_BYTES = 12
const TAG_BYTES = 16

function seal(d: ContinuityDeps, id: string, text: string): string {
  const secret = d.secrets()[0]
  if (secret === undefined) throw new Error('no cookie secret: set secrets.cookie or secrets.default')
  const iv = d.random(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), iv).setAAD(Buffer.from(id))
  return encodeBase64(Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]), 'url')
}

function opened(d: ContinuityDeps, id: string, payload: JsonObject): JsonObject | undefined {
  if (typeof payload.sealed !== 'string') return payload
  const bytes = decodeBase64(payload.sealed, 'url')
  if (bytes === undefined || bytes.length < IV_BYTES + TAG_BYTES) return undefined
  for (const secret of d.secrets()) {
    const text = unseal(bytes, keyOf(secret), id)
    // Only this server has the key, so it is the object that was sealed.
    if (text !== undefined) return readJson(text) as JsonObject
  }
  return undefined
}

function unseal(bytes: Buffer, key: Buffer, id: string): string | undefined {
  const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(id)).setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([cipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), cipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}
