import type { Config } from '../../config/schema/schema.ts'
import { type Clock, formatTime, type Micros, SECOND, type Timestamp } from '../../kernel/base/clock.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import type { TokenTemplates } from '../../tokens/templates.ts'
import type { LogHead } from '../log/high-water-mark.ts'
import type { RevocationRow, RevocationStore } from './store.ts'

export interface RevocationList {
  /** where the next list goes on, with `after` */
  cursor: number
  /** true: there is more than fits; ask at once, with the cursor */
  more: boolean
  /** how far back the list reaches: no token lives longer */
  window_seconds: number
  sessions: { id: string; seq: number; ended_at: Timestamp }[]
  /** tokens of these identities that are older are void, whatever their session */
  identities: { id: string; not_before: Timestamp }[]
  /** ends that were told before and are taken back */
  resumed: { id: string; seq: number; identity_id: string | null }[]
}

export interface RevocationDeps {
  config(): Config
  clock: Clock
  head: LogHead
  store: RevocationStore
  tokenTemplates(): TokenTemplates
  baseUrls: { public(): string }
}

/** Some 5 MB of JSON. */
const PAGE = 50_000
const LEEWAY_MS = 60_000
const SHORTEST_MS = 300_000
/** Lists that are kept for as long as the log does not grow; verifiers that poll ask for the same few. */
const KEPT = 64
/** A list that is older is made anew, so that ends leave it that no token can outlive. */
const KEEP: Micros = 30 * SECOND
const VOIDING = new Set(['identity_disabled', 'identity_deleted'])

/** Which sessions have ended for as long as a token can speak for them, for those who check tokens without asking. */
export function createRevocations(d: RevocationDeps) {
  let kept = { head: -1, at: 0, lists: new Map<number, RevocationList>() }

  /** @param after a cursor; 0 for everything */
  async function list(after: number): Promise<RevocationList> {
    const head = await d.head.advance()
    const now = d.clock.now()
    // a cursor from elsewhere, or from a log that was restored: from the beginning
    const from = after > head ? 0 : after
    if (kept.head !== head || now - kept.at > KEEP) kept = { head, at: now, lists: new Map() }
    const known = kept.lists.get(from)
    if (known) return known
    const { lists } = kept
    const windowMs = windowOf(d.config())
    const rows = await d.store.read(formatTime(now - Math.trunc(windowMs * 1000)), from, head, PAGE)
    const made = listOf(rows, head, windowMs)
    if (lists.size < KEPT) lists.set(from, made)
    return made
  }

  return {
    list,

    isPublic: () => d.config().lethe.events.revocations.public,

    /**
     * The list as a signed token (JWS, compact), by the key of a tokenizer template: it may come by way of anybody.
     * @throws HttpError 400 without such a template
     */
    async signed(after: number, templateName: string | undefined): Promise<string> {
      const name = templateName ?? Object.keys(d.config().session.whoami.tokenizer.templates)[0]
      const template = name === undefined ? undefined : d.tokenTemplates().get(name)
      if (!template)
        throw badRequest('A signed list needs a template of session.whoami.tokenizer, named by "template".')
      const [{ alg, kid, key }, made] = [await template.key(), await list(after)]
      const iat = Math.floor(d.clock.now() / SECOND)
      const { SignJWT } = await import('jose')
      return new SignJWT({ ...made, iss: d.baseUrls.public(), iat })
        .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }), typ: 'revocations+jwt' })
        .sign(key)
    },
  }
}

export type Revocations = ReturnType<typeof createRevocations>

/** Milliseconds. */
function windowOf({ lethe, session }: Config): number {
  const ttls = Object.values(session.whoami.tokenizer.templates).map(({ ttl }) => ttl)
  return lethe.events.revocations.window ?? Math.max(SHORTEST_MS, ...ttls.map((ttl) => ttl + LEEWAY_MS))
}

function listOf(rows: readonly RevocationRow[], head: number, windowMs: number): RevocationList {
  const more = rows.length === PAGE
  const ended = rows.filter(({ type }) => type === 'session.ended')
  const marks = new Map<string, Timestamp>()
  for (const { cause, identity_id, created_at } of ended) {
    if (cause !== null && VOIDING.has(cause) && identity_id !== null) marks.set(identity_id, created_at)
  }
  return {
    cursor: more ? rows.at(-1)!.seq : head,
    more,
    window_seconds: Math.ceil(windowMs / 1000),
    sessions: ended.map(({ session_id, seq, created_at }) => ({ id: session_id, seq, ended_at: created_at })),
    identities: [...marks].map(([id, not_before]) => ({ id, not_before })),
    resumed: rows
      .filter(({ type }) => type === 'session.resumed')
      .map(({ session_id, seq, identity_id }) => ({ id: session_id, seq, identity_id })),
  }
}
