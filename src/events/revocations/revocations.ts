import type { Config } from '../../config/schema/schema.ts'
import { type Clock, formatTime, type Micros, SECOND, type Timestamp } from '../../kernel/base/clock.ts'
import { badRequest } from '../../kernel/http/errors.ts'
import type { TokenTemplates } from '../../tokens/templates.ts'
import type { HighWaterMark, Mark } from '../log/high-water-mark.ts'
import { formatPosition, type Position } from '../log/position.ts'
import type { RevocationRow, RevocationStore } from './store.ts'

interface Revoked {
  /** the position to ask for the next list with, as `after` */
  cursor: string
  /** of the log; sequence numbers of another epoch mean nothing in this one */
  epoch: string
  /** true: the list is complete and replaces earlier ones; false: it adds to the list before `after` */
  reset: boolean
  /** true: there is more than fits; ask again at once, with the cursor */
  more: boolean
  /** how far back the list reaches: no token lives longer */
  window_seconds: number
  sessions: { id: string; seq: number; ended_at: Timestamp }[]
  /** tokens of these identities that were issued before are void, whatever their session */
  identities: { id: string; not_before: Timestamp }[]
  /** ends in earlier lists that are reversed */
  resumed: { id: string; seq: number; identity_id: string | null }[]
}

export interface RevocationList extends Revoked {
  /** every end committed before this time is in the lists up to `cursor`, by the clock of the database */
  complete_up_to: Timestamp
  /** how long before the request that was, so that clocks need not agree */
  behind_ms: number
}

export interface RevocationDeps {
  config(): Config
  clock: Clock
  highWaterMark: HighWaterMark
  store: RevocationStore
  tokenTemplates(): TokenTemplates
  baseUrls: { public(): string }
  /** called for each client that got events which the log has lost since */
  onLost(): void
}

/** Some 5 MB of JSON. */
const PAGE = 50_000
const LEEWAY_MS = 60_000
const SHORTEST_MS = 300_000
/** Lists that are cached while the log does not grow; polling verifiers ask for the same few. */
const KEPT = 64
/** Entries of all of them: callers choose the cursors, and 64 whole lists would be some 600 MB. */
const KEPT_ENTRIES = 2 * PAGE
/** An older list is made again, so that it drops ends that no token can outlive. */
const KEEP: Micros = 30 * SECOND
const VOIDING = new Set(['identity_disabled', 'identity_deleted'])

/** Which sessions have ended, for as long as a token of theirs may be valid, for verifiers. */
export function createRevocations(d: RevocationDeps) {
  let kept = { at: 0, mark: '', entries: 0, lists: new Map<string, Revoked>() }

  /** @param after undefined: the complete list */
  async function list(after: Position | undefined): Promise<RevocationList> {
    const mark = await d.highWaterMark.settle()
    const { from, reset } = await beginning(after)
    return {
      ...(await listAfter(from, reset, mark)),
      complete_up_to: formatTime(mark.completeAt),
      behind_ms: Math.ceil((mark.readAt - mark.completeAt) / 1000),
    }
  }

  async function beginning(after: Position | undefined): Promise<{ from: number; reset: boolean }> {
    // a bare 0 is typed by people; with its epoch it is the position of a log that had told nothing yet
    if (after === undefined || (after.epoch === undefined && after.seq === 0)) return { from: 0, reset: true }
    const { position, lost } = await d.highWaterMark.follow(after)
    if (lost) d.onLost()
    return lost ? { from: 0, reset: true } : { from: position.seq, reset: false }
  }

  async function listAfter(from: number, reset: boolean, mark: Mark): Promise<Revoked> {
    const [now, position, key] = [d.clock.now(), formatPosition(mark), `${from} ${reset}`]
    if (kept.mark !== position || now - kept.at > KEEP) kept = { mark: position, at: now, entries: 0, lists: new Map() }
    const known = kept.lists.get(key)
    if (known) return known
    const cache = kept
    const windowMs = windowOf(d.config())
    const rows = await d.store.read(formatTime(now - Math.trunc(windowMs * 1000)), from, mark.seq, PAGE)
    const made = { ...listOf(rows, mark, windowMs), reset }
    if (cache.lists.size < KEPT && cache.entries + rows.length <= KEPT_ENTRIES && !cache.lists.has(key)) {
      cache.lists.set(key, made)
      cache.entries += rows.length
    }
    return made
  }

  return {
    list,

    isPublic: () => d.config().lethe.events.revocations.public,

    /**
     * The list as a signed token (JWS, compact), by the key of a tokenizer template: it may be passed on by untrusted parties.
     * @throws HttpError 400 without such a template
     */
    async signed(after: Position | undefined, templateName: string | undefined): Promise<string> {
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

function listOf(rows: readonly RevocationRow[], mark: Mark, windowMs: number): Omit<Revoked, 'reset'> {
  const more = rows.length === PAGE
  const ended = rows.filter(({ type }) => type === 'session.ended')
  const marks = new Map<string, Timestamp>()
  for (const { cause, identity_id, created_at } of ended) {
    if (cause !== null && VOIDING.has(cause) && identity_id !== null) marks.set(identity_id, created_at)
  }
  return {
    cursor: formatPosition(more ? { ...mark, seq: rows.at(-1)!.seq } : mark),
    epoch: mark.epoch,
    more,
    window_seconds: Math.ceil(windowMs / 1000),
    sessions: ended.map(({ session_id, seq, created_at }) => ({ id: session_id, seq, ended_at: created_at })),
    identities: [...marks].map(([id, not_before]) => ({ id, not_before })),
    resumed: rows
      .filter(({ type }) => type === 'session.resumed')
      .map(({ session_id, seq, identity_id }) => ({ id: session_id, seq, identity_id })),
  }
}
